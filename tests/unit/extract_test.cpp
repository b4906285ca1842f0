// SPDX-License-Identifier: GPL-3.0-or-later
// Files out of a hostile or damaged tree, into a folder of the machine.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "job/extract.h"
#include "support/fake_tree.h"

namespace tintype::test {
namespace {
namespace fs = std::filesystem;

class HeardEvents final : public Events {
 public:
  void stage(const std::string&, std::uint64_t) override {}
  void progress(const Progress&) override {}
  void message(const Message& message) override { texts.push_back(message.text); }
  Answer ask(const Question&) override { return Answer::abort; }
  std::vector<std::string> texts;
};

class Extract : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "tintype-extract-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    fs::create_directory(to());
  }
  void TearDown() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  fs::path to() const { return folder_ / "to"; }
  Result<ExtractReport> extract(std::vector<std::string> paths = {"/"}) {
    const auto target = open_out_folder(to().string());
    EXPECT_TRUE(target);
    request.tree = tree;
    request.partition = make_memory_drive(1 << 20);
    request.paths = std::move(paths);
    request.target = dry_run ? nullptr : target->get();
    SeededRandom random(1);
    FixedClock clock{std::chrono::sys_seconds(std::chrono::seconds(0))};
    JobContext context{events, cancel, clock, random, 1};
    return run_extract(request, context);
  }
  std::string text(const std::string& name) const {
    std::ifstream file(to() / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  struct stat stat_of(const std::string& name) const {
    struct stat out {};
    EXPECT_EQ(::lstat((to() / name).c_str(), &out), 0) << name;
    return out;
  }
  // Everything below a folder; symbolic links are not followed.
  std::size_t entries(const fs::path& below) const {
    return static_cast<std::size_t>(std::distance(fs::recursive_directory_iterator(below), fs::recursive_directory_iterator()));
  }

  std::shared_ptr<FakeTree> tree = std::make_shared<FakeTree>();
  ExtractRequest request;
  HeardEvents events;
  CancelToken cancel;
  bool dry_run = false;
  fs::path folder_;
};

TEST_F(Extract, KeepsContentTimesAndPermissions) {
  const auto etc = tree->folder(1, "etc");
  (*tree)[etc].node.mode = 0750;
  (*tree)[etc].node.modified = 1'000'000'000'123'456'789;
  const auto file = tree->file(etc, "passwd", "root:x:0");
  (*tree)[file].node.mode = 04640;
  (*tree)[file].node.modified = -1;  // one nanosecond before 1970
  tree->symlink(etc, "link", "passwd");
  const auto report = extract();
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(text("etc/passwd"), "root:x:0");
  EXPECT_EQ(stat_of("etc/passwd").st_mode & 07777U, 0640U) << "without set-user-ID";
  EXPECT_EQ(stat_of("etc/passwd").st_mtim.tv_sec, -1);
  EXPECT_EQ(stat_of("etc/passwd").st_mtim.tv_nsec, 999'999'999);
  EXPECT_EQ(stat_of("etc").st_mode & 07777U, 0750U);
  EXPECT_EQ(stat_of("etc").st_mtim.tv_sec, 1'000'000'000) << "set after what lies in it was written";
  EXPECT_EQ(stat_of("etc").st_mtim.tv_nsec, 123'456'789);
  EXPECT_EQ(fs::read_symlink(to() / "etc/link"), "passwd");
  EXPECT_EQ(report->files, 1U);
  EXPECT_EQ(report->folders, 1U);
  EXPECT_EQ(report->symlinks, 1U);
  EXPECT_EQ(report->problem_count, 0U);
}

TEST_F(Extract, HostileNamesStayInside) {
  for (const std::string& name : {std::string(".."), std::string("."), std::string("../../out"), std::string("/etc/x"), std::string("a\0b", 3), std::string()})
    tree->file(1, name, "evil");
  const auto up = tree->folder(1, "..");
  tree->file(up, "out", "evil");
  tree->file(1, std::string(300, 'n'), "too long");
  tree->file(1, "good\x1b[2J\\x:y", "good");
  const auto report = extract();
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->failed, 8U);
  EXPECT_EQ(report->files, 1U);
  EXPECT_EQ(text("good\x1b[2J\\x:y"), "good");
  EXPECT_EQ(entries(folder_), 2U) << "nothing but the target and one file in it";
  for (const std::string& said : events.texts) EXPECT_EQ(said.find('\x1b'), std::string::npos);
}

// "dir" is first a link that leads out, then a folder with a file in it.
TEST_F(Extract, LinksThatItMadeLeadNowhere) {
  fs::create_directory(folder_ / "outside");
  std::ofstream(folder_ / "outside/file") << "mine";
  tree->symlink(1, "dir", "../outside");
  const auto dir = tree->folder(1, "dir");
  tree->file(dir, "file", "evil");
  tree->symlink(1, "f", "../outside/file");
  tree->file(1, "f", "evil");
  for (const auto policy : {ExtractRequest::OnExisting::refuse, ExtractRequest::OnExisting::skip, ExtractRequest::OnExisting::replace}) {
    request.on_existing = policy;
    const auto report = extract();
    ASSERT_TRUE(report);
    std::ifstream mine(folder_ / "outside/file");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(mine), {}), "mine");
    EXPECT_EQ(entries(folder_ / "outside"), 1U);
  }
  EXPECT_EQ(text("f"), "evil") << "with replace the link itself was replaced";
  EXPECT_FALSE(fs::is_symlink(to() / "f"));
}

TEST_F(Extract, DoesNotWriteThroughLinksThatWereThere) {
  fs::create_directory(folder_ / "outside");
  fs::create_directory_symlink(folder_ / "outside", to() / "dir");
  fs::create_symlink(folder_ / "outside/new", to() / "f");
  tree->file(tree->folder(1, "dir"), "file", "evil");
  tree->file(1, "f", "evil");
  request.on_existing = ExtractRequest::OnExisting::replace;
  ASSERT_TRUE(extract());
  EXPECT_EQ(entries(folder_ / "outside"), 0U);
  EXPECT_FALSE(fs::is_symlink(to() / "f"));
}

TEST_F(Extract, ExistingFilesAreLeftAloneUnlessTold) {
  std::ofstream(to() / "a") << "old";
  tree->file(1, "a", "new");
  tree->file(1, "b", "new");
  auto report = extract();
  ASSERT_TRUE(report);
  EXPECT_EQ(text("a"), "old");
  EXPECT_EQ(text("b"), "new");
  EXPECT_EQ(report->existing, 1U);
  EXPECT_EQ(report->problem_count, 1U);
  request.on_existing = ExtractRequest::OnExisting::skip;
  report = extract();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->existing, 2U);
  EXPECT_EQ(report->problem_count, 0U);
  request.on_existing = ExtractRequest::OnExisting::replace;
  report = extract();
  ASSERT_TRUE(report);
  EXPECT_EQ(text("a"), "new");
  EXPECT_EQ(report->files, 2U);
}

TEST_F(Extract, HardLinksAndHoles) {
  const auto file = tree->file(tree->folder(1, "x"), "one", std::string(1 << 20, 'h'));
  (*tree)[file].holes = {{65536, (1 << 20) - 65536}};
  (*tree)[file].node.links = 3;
  tree->link(tree->folder(1, "y"), "two", file);
  tree->link(1, "three", file);
  const auto report = extract();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->files, 1U);
  EXPECT_EQ(report->hard_links, 2U);
  EXPECT_EQ(stat_of("x/one").st_ino, stat_of("y/two").st_ino);
  EXPECT_EQ(stat_of("x/one").st_ino, stat_of("three").st_ino);
  EXPECT_EQ(stat_of("three").st_nlink, 3U);
  EXPECT_EQ(stat_of("three").st_size, 1 << 20);
  EXPECT_LE(stat_of("three").st_blocks * 512, 128 << 10) << "the hole stays one";
  EXPECT_EQ(tree->opened, 1U);
}

TEST_F(Extract, SmallFilesAreReadInTheOrderOfTheDrive) {
  // Each in a folder of its own, the later ones first on the partition; one more lies in its own record, and one is large.
  std::vector<std::uint64_t> ids;
  for (std::uint64_t i = 0; i < 20; ++i) {
    ids.push_back(tree->file(tree->folder(1, "folder" + std::to_string(i)), "f", std::string(100 + i, static_cast<char>('a' + i))));
    (*tree)[ids.back()].extents = {{(20 - i) * 4096, 4096}};
    (*tree)[ids.back()].node.mode = 0600;
  }
  tree->file(1, "resident", "r");
  const auto large = tree->file(1, "large", std::string(2 << 20, 'L'));
  (*tree)[large].extents = {{0, 4096}};
  std::vector<std::uint64_t> read;
  tree->on_read = [&](const FileNode& node) { read.push_back(node.id); };
  const auto report = extract();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->files, 22U);
  ASSERT_GE(read.size(), 20U);
  EXPECT_EQ(std::vector(read.begin(), read.begin() + 20), std::vector(ids.rbegin(), ids.rend()));
  EXPECT_EQ(std::ranges::count(read, ids[3]), 1) << "from memory when it is made";
  for (std::uint64_t i = 0; i < 20; ++i) EXPECT_EQ(text("folder" + std::to_string(i) + "/f"), std::string(100 + i, static_cast<char>('a' + i)));
  EXPECT_EQ(text("resident"), "r");
  EXPECT_EQ(text("large").size(), std::size_t{2} << 20);
  EXPECT_EQ(tree->opened, 22U);
}

TEST_F(Extract, WhatIsThereAlreadyIsNotReadAgain) {
  const auto folder = tree->folder(1, "folder");
  for (std::uint64_t i = 0; i < 5; ++i) (*tree)[tree->file(i % 2 != 0 ? folder : 1, "f" + std::to_string(i), "text")].extents = {{i * 4096, 4096}};
  ASSERT_TRUE(extract());
  fs::remove(to() / "folder/f3");
  std::vector<std::string> read;
  tree->on_read = [&](const FileNode& node) { read.push_back(std::to_string(node.id)); };
  request.on_existing = ExtractRequest::OnExisting::skip;
  const auto report = extract();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->files, 1U);
  EXPECT_EQ(report->existing, 4U);
  EXPECT_EQ(read.size(), 1U);
  EXPECT_EQ(text("folder/f3"), "text");
}

TEST_F(Extract, AFolderThatCannotBeMadeIsToldOnce) {
  const auto bad = tree->folder(1, "bad"), below = tree->folder(bad, "below");
  for (int i = 0; i < 5; ++i) tree->file(below, "lost" + std::to_string(i), "x");
  tree->file(bad, "lost too", "x");
  tree->file(tree->folder(1, "good"), "kept", "kept");
  std::ofstream(to() / "bad") << "a file stands here";
  const auto report = extract();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->existing + report->failed, 1U);
  EXPECT_EQ(report->problem_count, 1U);
  EXPECT_EQ(report->files, 1U);
  EXPECT_EQ(text("good/kept"), "kept");
  EXPECT_EQ(text("bad"), "a file stands here");
}

TEST_F(Extract, WhatCannotBeReadIsNamedAndTheRestKept) {
  const auto file = tree->file(1, "torn", std::string(3 << 20, 'c'));
  (*tree)[file].bad_blocks = {300, 301};
  tree->file(1, "whole", "good");
  const auto report = extract();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->files, 2U);
  EXPECT_EQ(report->incomplete, 1U);
  EXPECT_EQ(report->lost_bytes, 8192U);
  const std::string torn = text("torn");
  ASSERT_EQ(torn.size(), std::size_t{3} << 20);
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(torn, 'c')), torn.size() - 8192);
  EXPECT_EQ(torn[300 * 4096], '\0');
  EXPECT_EQ(text("whole"), "good");
  ASSERT_EQ(events.texts.size(), 1U);
  EXPECT_NE(events.texts[0].find("/torn is incomplete"), std::string::npos);
}

TEST_F(Extract, WindowsLinksLeadInsideOrAreNamed) {
  tree->folds_case = true;
  const auto users = tree->folder(1, "Users");
  tree->file(users, "a.txt", "a");
  const auto add = [&](std::uint64_t in, const char* name, const char* target) {
    (*tree)[tree->add(in, name, NodeKind::reparse_point)].target = target;
  };
  add(1, "Documents and Settings", "\\??\\C:\\USERS");
  add(users, "All", "\\??\\C:\\users\\A.TXT");
  add(users, "relative", "..\\Users\\a.txt");
  add(1, "elsewhere", "\\??\\D:\\data");
  add(1, "share", "\\\\server\\share");
  tree->add(1, "cloud", NodeKind::reparse_point);
  const auto report = extract();
  ASSERT_TRUE(report);
  EXPECT_EQ(fs::read_symlink(to() / "Documents and Settings"), "Users");
  EXPECT_EQ(fs::read_symlink(to() / "Users/All"), "../Users/a.txt");
  EXPECT_EQ(fs::read_symlink(to() / "Users/relative"), "../Users/a.txt");
  EXPECT_FALSE(fs::exists(fs::symlink_status(to() / "elsewhere")));
  EXPECT_EQ(report->passed_over, 3U);
  EXPECT_EQ(report->symlinks, 3U);
}

TEST_F(Extract, DevicesAndEncryptedFilesArePassedOver) {
  tree->add(1, "null", NodeKind::device);
  tree->add(1, "pipe", NodeKind::fifo);
  (*tree)[tree->file(1, "secret", "cipher")].node.encrypted = true;
  const auto report = extract();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->passed_over, 3U);
  EXPECT_EQ(entries(to()), 0U);
}

TEST_F(Extract, StreamsAsFiles) {
  (*tree)[tree->file(1, "a", "main")].streams = {{"Zone.Identifier", "[ZoneTransfer]"}, {"../../evil", "x"}};
  auto report = extract();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->streams, 0U);
  request.streams = ExtractRequest::Streams::files;
  request.on_existing = ExtractRequest::OnExisting::replace;
  report = extract();
  ASSERT_TRUE(report);
  EXPECT_EQ(text("a:Zone.Identifier"), "[ZoneTransfer]");
  EXPECT_EQ(report->streams, 1U);
  EXPECT_EQ(report->failed, 1U);
  EXPECT_EQ(entries(folder_), 3U);
}

TEST_F(Extract, CancellingLeavesNoUnfinishedFile) {
  tree->file(1, "a", "first");
  tree->file(1, "b", std::string(4 << 20, 'b'));
  tree->on_open = [&](const FileNode& node) {
    if (node.size_bytes > 100) cancel.cancel();
  };
  const auto report = extract();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::cancelled);
  EXPECT_EQ(text("a"), "first");
  EXPECT_EQ(entries(to()), 1U);
}

TEST_F(Extract, DryRunWritesNothing) {
  tree->file(tree->folder(1, "d"), "a", "content");
  dry_run = true;
  const auto report = extract();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->files, 1U);
  EXPECT_EQ(report->bytes, 7U);
  EXPECT_EQ(entries(to()), 0U);
}

TEST_F(Extract, ParentsComeWithTheirPermissions) {
  const auto root = tree->folder(1, "root");
  (*tree)[root].node.mode = 0710;
  tree->file(root, "a.x", "a");
  tree->file(root, "b.y", "b");
  tree->file(root, "c.z", "c");
  const auto report = extract({"/root/*.x", "/root/*.y", "/none"});
  ASSERT_TRUE(report);
  EXPECT_EQ(stat_of("root").st_mode & 07777U, 0710U);
  EXPECT_EQ(entries(to()), 3U);
  EXPECT_EQ(report->unmatched.size(), 1U);
}

}  // namespace
}  // namespace tintype::test
