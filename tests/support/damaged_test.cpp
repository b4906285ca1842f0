// SPDX-License-Identifier: GPL-3.0-or-later
// Every file of tests/damaged/<target>/ through the fuzz target's entry function: no crash, no hang, and whatever the
// function itself checks. tintype_fuzz() links this in presets without a fuzzer.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

TEST(Damaged, KeptFiles) {
  const std::filesystem::path folder = std::filesystem::path(TINTYPE_SOURCE_DIR) / "tests/damaged" / TINTYPE_FUZZ_NAME;
  LLVMFuzzerTestOneInput(nullptr, 0);
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "nothing is kept in " << folder;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const auto& path : files) {
    SCOPED_TRACE(path.string());
    std::cerr << path.filename().string() << "\n";  // names the culprit if the function crashes
    std::ifstream in(path, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }
}

}  // namespace
