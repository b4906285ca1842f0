// SPDX-License-Identifier: GPL-3.0-or-later
// Suggested names of images, and names that are kept across runs.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "naming/saved_names.h"
#include "naming/suggest_name.h"

namespace tintype {
namespace {

using namespace std::chrono;

const auto kFree = [](const std::string&) { return false; };

SuggestedName drive_zero() {
  return {.drive_number = 0, .drive_path = "/dev/sda", .partition = {}, .changes_only = false,
          .moment = local_days(2026y / November / 23) + 14h + 5min + 30s};
}

TEST(SuggestedName, TellsDrivePartitionKindAndTime) {
  SuggestedName what = drive_zero();
  EXPECT_EQ(suggest_image_name(what, kFree), "w0-2026-11-23-1405");
  what.changes_only = true;
  EXPECT_EQ(suggest_image_name(what, kFree), "w0-chg-2026-11-23-1405");
  what.partition = 0x301;
  EXPECT_EQ(suggest_image_name(what, kFree), "w0-0x301-chg-2026-11-23-1405");
  what.partition = 1;
  what.drive_number = 12;
  EXPECT_EQ(suggest_image_name(what, kFree), "w12-1-chg-2026-11-23-1405");
}

TEST(SuggestedName, AFileIsToldByItsOwnName) {
  SuggestedName what = drive_zero();
  what.drive_number.reset();
  for (const auto& [path, start] : std::vector<std::pair<std::string, std::string>>{
           {"/mnt/disk.raw", "disk"}, {"disk", "disk"}, {"a b$~x.raw", "a_b_~x"}, {"/dev/loop0", "loop0"}, {"/", "drive"}}) {
    what.drive_path = path;
    EXPECT_EQ(suggest_image_name(what, kFree), start + "-2026-11-23-1405") << path;
  }
}

TEST(SuggestedName, NeverOneThatIsTaken) {
  std::set<std::string> taken;
  for (int i = 0; i < 12; ++i)
    EXPECT_TRUE(taken.insert(suggest_image_name(drive_zero(), [&](const std::string& name) { return taken.contains(name); })).second);
  EXPECT_TRUE(taken.contains("w0-2026-11-23-1405-2"));
  EXPECT_TRUE(taken.contains("w0-2026-11-23-1405-12"));
}

class SavedNamesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "tintype-names-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = folder_ + "/state/tintype/names.json";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path());
    std::ofstream(path_) << text;
  }
  std::string folder_, path_;
};

TEST_F(SavedNamesTest, AreKeptForTheirOwnerAlone) {
  EXPECT_TRUE(load_saved_names(path_)->empty());
  ASSERT_TRUE(save_name(path_, "a", "/bk/größe \"x\".tti"));
  ASSERT_TRUE(save_name(path_, "b", "/bk/b.tti"));
  ASSERT_TRUE(save_name(path_, "b", "/bk/c.tti"));
  EXPECT_EQ(*load_saved_names(path_), (SavedNames{{"a", "/bk/größe \"x\".tti"}, {"b", "/bk/c.tti"}}));
  struct stat st{};
  ASSERT_EQ(::stat(path_.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777U, 0600U);
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(path_).parent_path())) files += entry.exists() ? 1 : 0;
  EXPECT_EQ(files, 2U) << "the names and their lock";
}

TEST_F(SavedNamesTest, AFileThatMakesNoSenseIsLeftAlone) {
  for (const char* text : {"", "[1]", "{\"a\": 1}", "{\"a\": \"b\"", "\xff\xfe", "{\"a\": {\"b\": \"c\"}}"}) {
    write(text);
    const auto loaded = load_saved_names(path_);
    ASSERT_FALSE(loaded) << text;
    EXPECT_EQ(loaded.error().code, ErrorCode::corrupt);
    EXPECT_FALSE(save_name(path_, "x", "/y"));
    std::ifstream file(path_);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), text);
  }
}

TEST_F(SavedNamesTest, TwoWritersLoseNothing) {
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w)
    writers.emplace_back([this, w] {
      for (int i = 0; i < 10; ++i) EXPECT_TRUE(save_name(path_, std::to_string(w * 10 + i), "/x"));
    });
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(load_saved_names(path_)->size(), 40U);
}

}  // namespace
}  // namespace tintype
