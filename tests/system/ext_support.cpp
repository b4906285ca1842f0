// SPDX-License-Identifier: GPL-3.0-or-later
#include "ext_support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>

#include "drive/open.h"
#include "fs/filesystem.h"

namespace tintype::test {
namespace fs = std::filesystem;

Result<Seen> look_at(const fs::path& image) {
  std::shared_ptr<Drive> drive = TRY(open_drive(image.string()));
  const std::unique_ptr<FileSystem> file_system = TRY(open_file_system(drive));
  const std::unique_ptr<ExtentStream> stream = TRY(file_system->used_map());
  Seen seen;
  seen.info = file_system->info();
  seen.map = TRY(collect(*stream));
  return seen;
}

Dumped dumpe2fs(const fs::path& image) {
  Dumped out;
  std::istringstream lines(run("dumpe2fs " + shell_word(image) + " 2>/dev/null").output);
  std::vector<Extent> free;
  std::uint64_t cluster_bytes = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto number = [&line](const char* key, std::uint64_t& into) {
      if (line.starts_with(key)) into = std::stoull(line.substr(std::string(key).size()));
    };
    number("Block count:", out.blocks);
    if (out.free_blocks == 0) number("Free blocks:", out.free_blocks);
    number("Block size:", out.block_bytes);
    number("Cluster size:", cluster_bytes);
    if (!line.starts_with("  Free blocks: ")) continue;
    std::istringstream ranges(line.substr(15));
    for (std::string range; std::getline(ranges, range, ',');) {
      const std::size_t begin = range.find_first_not_of(' ');
      if (begin == std::string::npos) continue;
      const std::size_t dash = range.find('-', begin);
      const std::uint64_t first = std::stoull(range.substr(begin));
      const std::uint64_t last = dash == std::string::npos ? first : std::stoull(range.substr(dash + 1));
      // With bigalloc the last number of a range is the first block of its last cluster.
      const std::uint64_t step = std::max(cluster_bytes / out.block_bytes, std::uint64_t{1});
      const std::uint64_t end = std::min(round_down(last, step) + step, out.blocks);
      free.push_back({first * out.block_bytes, (step == 1 ? last + 1 - first : end - first) * out.block_bytes});
    }
  }
  out.free = ExtentSet(std::move(free));
  return out;
}

void spoil_all_but(const fs::path& image, const ExtentSet& kept) {
  const int file = ::open(image.c_str(), O_RDWR | O_CLOEXEC);
  const std::uint64_t size = fs::file_size(image);
  const std::vector<char> junk(1 << 20, static_cast<char>(0xDB));
  std::uint64_t at = 0;
  const auto fill_to = [&](std::uint64_t end) {
    while (at < end) {
      const std::uint64_t n = std::min<std::uint64_t>(end - at, junk.size());
      if (::pwrite(file, junk.data(), n, static_cast<off_t>(at)) != static_cast<ssize_t>(n)) std::abort();
      at += n;
    }
  };
  for (const Extent& extent : kept.items()) {
    fill_to(extent.start);
    at = extent.end();
  }
  fill_to(size);
  ::close(file);
}

Mount::Mount(const fs::path& image, const std::string& options) {
  const CommandOutcome loop = run("losetup -f --show " + shell_word(image) + " 2>/dev/null");
  if (loop.status != 0) return;
  device_ = loop.output.substr(0, loop.output.find('\n'));
  std::string name = (fs::temp_directory_path() / "tintype-mount-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) return;
  folder_ = name;
  const std::string with = options.empty() ? "" : "-o " + options + " ";
  mounted_ = run("mount " + with + device_ + " " + shell_word(folder_)).status == 0;
}

Mount::~Mount() {
  if (mounted_) (void)run("umount " + shell_word(folder_));
  if (!device_.empty()) (void)run("losetup -d " + device_);
  std::error_code ignored;
  if (!folder_.empty()) fs::remove(folder_, ignored);
}

std::string digest(const fs::path& folder) {
  return run("cd " + shell_word(folder) +
             " && find . -name lost+found -prune -o -type f -print0 | sort -z | xargs -0 -r sha256sum")
      .output;
}

void make_tree(const fs::path& folder) {
  std::mt19937 random(42);
  fs::create_directories(folder / "a/b/c/d/e");
  std::vector<char> bytes;
  for (int i = 0; i < 150; ++i) {
    bytes.resize(random() % (i % 40 == 0 ? 300'000 : 9'000));
    for (char& byte : bytes) byte = static_cast<char>(random());
    const fs::path place = folder / (i % 3 == 0 ? "a" : i % 3 == 1 ? "a/b" : "a/b/c/d/e") / ("file" + std::to_string(i));
    std::ofstream(place, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  std::ofstream(folder / "sparse").put('x');
  fs::resize_file(folder / "sparse", 5'000'000);
}

}  // namespace tintype::test
