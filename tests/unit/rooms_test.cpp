// SPDX-License-Identifier: GPL-3.0-or-later
// The house rules that a compiler does not check: rooms use only what is above them, READMEs and the architecture
// page name only paths that exist, files stay small, every file carries its licence line.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

namespace {
namespace fs = std::filesystem;
using Problems = std::vector<std::string>;

constexpr std::array kRooms{"base",     "drive", "layout", "fs",      "naming", "store", "image",
                            "snapshot", "plan",  "job",    "options", "media",  "serve", "ui"};
constexpr std::array kForeignHeaders{"fmt/", "nlohmann/", "zstd", "lz4", "xxhash", "openssl/", "argon2", "sodium", "ipsec", "isa-l", "curl/", "CLI/", "zlib", "lzma", "bzlib"};
constexpr std::size_t kMaxLines = 400;

std::vector<std::string> lines_of(const fs::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

bool is_cpp(const fs::path& path) { return path.extension() == ".cpp" || path.extension() == ".h"; }

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  if (!fs::is_directory(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::size_t rank_of(const std::string& room) {
  return static_cast<std::size_t>(std::find(kRooms.begin(), kRooms.end(), room) - kRooms.begin());
}

/// Includes of src/ that reach into a room below, or headers of rooms that show a library's types.
Problems include_problems(const fs::path& root) {
  static const std::regex include(R"(^\s*#\s*include\s*(["<])([^">]+)[">])");
  Problems problems;
  for (const auto& path : files_below(root / "src")) {
    if (!is_cpp(path)) continue;
    const auto inside = fs::relative(path, root / "src");
    const std::string room = inside.begin()->string();
    if (rank_of(room) == kRooms.size()) problems.push_back(fmt::format("{}: no such room", inside.string()));
    std::size_t number = 0;
    for (const auto& line : lines_of(path)) {
      ++number;
      std::smatch match;
      if (!std::regex_search(line, match, include)) continue;
      const std::string name = match[2];
      const std::string used = name.substr(0, name.find('/'));
      const auto place = fmt::format("src/{}:{}: ", inside.string(), number);
      if (match[1] == "\"" && rank_of(used) < kRooms.size() && rank_of(used) > rank_of(room)) {
        problems.push_back(place + fmt::format("{} uses {}, which is below it", room, used));
      }
      const bool foreign = match[1] == "<" && std::any_of(kForeignHeaders.begin(), kForeignHeaders.end(),
                                                          [&](const char* start) { return name.starts_with(start); });
      if (path.extension() == ".h" && foreign) problems.push_back(place + "a header shows the library " + name);
    }
  }
  return problems;
}

/// Paths in `backticks` of a page that exist neither beside it, nor in src/, nor in the root.
Problems path_problems(const fs::path& root, const fs::path& page) {
  static const std::regex quoted("`([A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]*)+|[a-z0-9_-]+\\.(?:h|cpp|md))`");
  Problems problems;
  std::size_t number = 0;
  for (const auto& line : lines_of(page)) {
    ++number;
    for (std::sregex_iterator it(line.begin(), line.end(), quoted), end; it != end; ++it) {
      const std::string name = (*it)[1];
      const auto parent = page.parent_path();
      if (fs::exists(parent / name) || fs::exists(root / "src" / name) || fs::exists(root / name)) continue;
      problems.push_back(fmt::format("{}:{}: {} does not exist", fs::relative(page, root).string(), number, name));
    }
  }
  return problems;
}

Problems page_problems(const fs::path& root) {
  Problems problems;
  std::vector<fs::path> pages{root / "docs/architecture.md"};
  for (const auto* room : kRooms) {
    if (fs::exists(root / "src" / room / "CMakeLists.txt")) pages.push_back(root / "src" / room / "README.md");
  }
  for (const auto& page : pages) {
    if (!fs::exists(page)) {
      problems.push_back(fs::relative(page, root).string() + " is missing");
      continue;
    }
    for (auto& problem : path_problems(root, page)) problems.push_back(std::move(problem));
  }
  return problems;
}

/// Files of the project that lack their SPDX line in the first three lines, or are longer than a file should be.
Problems file_problems(const fs::path& root) {
  Problems problems;
  for (const auto* folder : {"src", "tests", "cmake", "scripts"}) {
    for (const auto& path : files_below(root / folder)) {
      const bool script = std::string_view(folder) == "scripts" && path.extension() != ".pyc";
      const bool ours = is_cpp(path) || script || path.filename() == "CMakeLists.txt" || path.extension() == ".cmake";
      const auto name = fs::relative(path, root).string();
      if (!ours || name.starts_with("tests/damaged/")) continue;
      const auto lines = lines_of(path);
      const auto head = lines.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(3, lines.size()));
      if (std::none_of(lines.begin(), head, [](const auto& line) {
            return line.find("SPDX-License-Identifier: GPL-3.0-or-later") != std::string::npos;
          })) {
        problems.push_back(name + ": no SPDX line at the top");
      }
      if (lines.size() > kMaxLines && std::string_view(folder) != "tests") {
        problems.push_back(fmt::format("{}: {} lines; past {} there are two things in it", name, lines.size(), kMaxLines));
      }
    }
  }
  return problems;
}

std::string joined(const Problems& problems) { return fmt::format("{}", fmt::join(problems, "\n")); }

/// A throw-away source tree that breaks the rules.
class BrokenTree : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "tintype-rooms-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }
  void write(const std::string& name, const std::string& text) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }
  fs::path root_;
};

TEST(Rooms, UseOnlyWhatIsAbove) { EXPECT_EQ(joined(include_problems(TINTYPE_SOURCE_DIR)), ""); }
TEST(Rooms, PagesNameOnlyWhatExists) { EXPECT_EQ(joined(page_problems(TINTYPE_SOURCE_DIR)), ""); }
TEST(Rooms, FilesAreSmallAndCarryTheLicence) { EXPECT_EQ(joined(file_problems(TINTYPE_SOURCE_DIR)), ""); }

TEST_F(BrokenTree, AnIncludeFromBelowIsFound) {
  write("src/layout/a.cpp", "// x\n#include \"drive/drive.h\"\n #include \"fs/filesystem.h\"\n");
  EXPECT_EQ(joined(include_problems(root_)), "src/layout/a.cpp:3: layout uses fs, which is below it");
}
TEST_F(BrokenTree, AnUnknownRoomIsFound) {
  write("src/attic/a.cpp", "\n");
  EXPECT_EQ(joined(include_problems(root_)), "attic/a.cpp: no such room");
}
TEST_F(BrokenTree, ALibraryInAHeaderIsFound) {
  write("src/image/a.h", "#include <zstd.h>\n");
  write("src/image/a.cpp", "#include <zstd.h>\n");
  EXPECT_EQ(joined(include_problems(root_)), "src/image/a.h:1: a header shows the library zstd.h");
}
TEST_F(BrokenTree, AStalePathIsFound) {
  write("docs/architecture.md", "`src/base/` is there, `src/gone/` is not\n");
  write("src/base/CMakeLists.txt", "\n");
  write("src/base/README.md", "see `there.h` and `gone.h`, not `word`\n");
  write("src/base/there.h", "\n");
  EXPECT_EQ(joined(page_problems(root_)),
            "docs/architecture.md:1: src/gone/ does not exist\nsrc/base/README.md:1: gone.h does not exist");
}
TEST_F(BrokenTree, AMissingReadmeIsFound) {
  write("docs/architecture.md", "\n");
  write("src/base/CMakeLists.txt", "\n");
  EXPECT_EQ(joined(page_problems(root_)), "src/base/README.md is missing");
}
TEST_F(BrokenTree, ALongOrUnlicensedFileIsFound) {
  write("src/base/a.h", "// SPDX-License-Identifier: GPL-3.0-or-later\n" + std::string(400, '\n'));
  write("src/base/b.h", "#pragma once\n");
  EXPECT_EQ(joined(file_problems(root_)),
            "src/base/a.h: 401 lines; past 400 there are two things in it\nsrc/base/b.h: no SPDX line at the top");
}

}  // namespace
