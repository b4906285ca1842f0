// SPDX-License-Identifier: GPL-3.0-or-later
// Build-time tool: writes the manual pages and the completion script. tintype_docs FOLDER VERSION
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "options/document.h"

namespace {

bool write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) std::fprintf(stderr, "tintype_docs: cannot write %s\n", path.c_str());
  return !file.fail();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: tintype_docs FOLDER VERSION\n");
    return 2;
  }
  using namespace tintype::options;
  const std::filesystem::path folder = argv[1];
  std::error_code error;
  std::filesystem::create_directories(folder / "man", error);
  std::filesystem::create_directories(folder / "completion", error);
  bool good = write(folder / "completion" / "tintype", bash_completion());
  for (const std::optional<Action>& topic : manual_topics()) {
    const Document document = describe(topic, Spelling::gnu);
    good = write(folder / "man" / (document.name + ".1"), render_manual(document, argv[2])) && good;
  }
  return good ? 0 : 1;
}
