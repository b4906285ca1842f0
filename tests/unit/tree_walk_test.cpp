// SPDX-License-Identifier: GPL-3.0-or-later
// Paths and wildcards against a tree of files in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "job/tree_walk.h"
#include "support/fake_tree.h"

namespace tintype::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

struct Walked {
  std::vector<std::string> paths, damaged;
  std::vector<Error> unmatched;
};

Walked walk(FakeTree& tree, const std::vector<std::string>& texts, bool below = true) {
  std::vector<PathPattern> patterns;
  for (const std::string& text : texts) {
    Result<PathPattern> pattern = parse_path_pattern(text, tree);
    EXPECT_TRUE(pattern) << text;
    if (pattern) patterns.push_back(*pattern);
  }
  CancelToken cancel;
  TreeWalk walk(tree, patterns, cancel);
  Walked out;
  const Result<void> done = walk.run([&](const FoundNode& found) -> Result<bool> {
                                       out.paths.push_back(found.path());
                                       return below;
                                     },
                                     [&](const std::string& path, const Error&) { out.damaged.push_back(path); });
  EXPECT_TRUE(done);
  out.unmatched = walk.unmatched();
  return out;
}

struct Home {
  FakeTree tree;
  std::uint64_t users, ann, bob, other;
  Home() {
    users = tree.folder(1, "Users");
    ann = tree.folder(users, "ann");
    bob = tree.folder(users, "bob");
    other = tree.folder(1, "other");
    tree.file(ann, "a.doc");
    tree.file(ann, "b.txt");
    tree.file(bob, "c.DOC");
    tree.file(bob, "[x].doc");
    tree.file(other, "d.doc");
  }
};

TEST(TreeWalk, FindsWhatIsNamed) {
  Home home;
  EXPECT_THAT(walk(home.tree, {"/Users/ann/a.doc"}).paths, ElementsAre("/Users/ann/a.doc"));
  EXPECT_THAT(walk(home.tree, {"Users//./ann/"}).paths, ElementsAre("/Users/ann", "/Users/ann/a.doc", "/Users/ann/b.txt"));
  EXPECT_THAT(walk(home.tree, {"/"}, false).paths, ElementsAre("/"));
  EXPECT_EQ(walk(home.tree, {"/"}).paths.size(), 10U);
}

TEST(TreeWalk, Wildcards) {
  Home home;
  EXPECT_THAT(walk(home.tree, {"/Users/*/*.doc"}).paths, UnorderedElementsAre("/Users/ann/a.doc", "/Users/bob/[x].doc"));
  EXPECT_THAT(walk(home.tree, {"/**/*.doc"}).paths, UnorderedElementsAre("/Users/ann/a.doc", "/Users/bob/[x].doc", "/other/d.doc"));
  EXPECT_THAT(walk(home.tree, {"/Users/**"}).paths.size(), 6U);
  EXPECT_THAT(walk(home.tree, {"/Users/**/ann/a.*"}).paths, ElementsAre("/Users/ann/a.doc"));
  EXPECT_THAT(walk(home.tree, {"/Users/ann/[a-b].???"}).paths, UnorderedElementsAre("/Users/ann/a.doc", "/Users/ann/b.txt"));
  EXPECT_THAT(walk(home.tree, {"/Users/ann/[!a]*"}).paths, ElementsAre("/Users/ann/b.txt"));
  EXPECT_THAT(walk(home.tree, {"/Users/bob/[x].doc"}).paths, ElementsAre("/Users/bob/[x].doc")) << "typed as it stands there";
  EXPECT_THAT(walk(home.tree, {"/Users/bob/\\[x\\].doc"}).paths, ElementsAre("/Users/bob/[x].doc"));
}

TEST(TreeWalk, IgnoresCaseWhereTheFileSystemDoes) {
  Home home;
  EXPECT_THAT(walk(home.tree, {"/users/ANN/a.doc"}).paths, IsEmpty());
  home.tree.folds_case = true;
  EXPECT_THAT(walk(home.tree, {"\\users\\ANN\\A.doc"}).paths, ElementsAre("/Users/ann/a.doc"));
  EXPECT_THAT(walk(home.tree, {"/USERS/BOB/*.d[O-P]c"}).paths, UnorderedElementsAre("/Users/bob/c.DOC", "/Users/bob/[x].doc"));
}

TEST(TreeWalk, NamesThatOnlyCaseTellsApartDoNotHideEachOther) {
  FakeTree tree;
  tree.folds_case = true;
  const std::uint64_t upper = tree.folder(1, "X"), lower = tree.folder(1, "x"), last = tree.folder(1, "y");
  tree.file(upper, "a");
  tree.file(lower, "b");
  tree.file(last, "c");
  const Walked walked = walk(tree, {"/x/b", "/y/c"});
  EXPECT_THAT(walked.paths, ElementsAre("/x/b", "/y/c"));
  EXPECT_THAT(walked.unmatched, IsEmpty());
}

TEST(TreeWalk, VisitsNothingTwiceAndReadsEachFolderOnce) {
  Home home;
  const Walked walked = walk(home.tree, {"/Users", "/Users/ann", "/**/*.doc", "/**/**/a.doc", "/Users/*/*"});
  std::set<std::string> once(walked.paths.begin(), walked.paths.end());
  EXPECT_EQ(once.size(), walked.paths.size());
  for (const auto& [folder, times] : home.tree.lists) EXPECT_EQ(times, 1U) << folder;
}

TEST(TreeWalk, ReadsOnlyTheFoldersOnTheWay) {
  Home home;
  walk(home.tree, {"/Users/bob/c.DOC"});
  EXPECT_EQ(home.tree.lists.size(), 3U);
  EXPECT_FALSE(home.tree.lists.contains(home.ann));
}

TEST(TreeWalk, FoldersOnTheWayAreReadUpTheDriveAndVisitedInTheirOrder) {
  FakeTree tree;
  std::vector<std::uint64_t> outer, inner;
  std::vector<std::string> wanted;
  for (std::uint64_t i = 0; i < 5; ++i) {
    outer.push_back(tree.folder(1, "out" + std::to_string(i)));
    inner.push_back(tree.folder(outer.back(), "in"));
    tree[outer.back()].extents = {{(10 - i) * 100, 4}};  // 1000 down to 600
    tree[inner.back()].extents = {{i % 2 != 0 ? 650 + i * 100 : 50 + i, 4}};
    tree.file(inner.back(), "file");
    wanted.push_back("/out" + std::to_string(i) + "/in/file");
  }
  std::ranges::reverse(wanted);
  EXPECT_THAT(walk(tree, wanted).paths, ElementsAre("/out0/in/file", "/out1/in/file", "/out2/in/file", "/out3/in/file", "/out4/in/file"));
  // One sweep up to 1000, with what is met on the way, then those below; 750 was passed before its folder was known.
  EXPECT_THAT(tree.list_order, ElementsAre(1, outer[4], outer[3], outer[2], outer[1], inner[3], outer[0], inner[0], inner[2], inner[4], inner[1]));
  for (const auto& [folder, times] : tree.lists) EXPECT_EQ(times, 1U) << folder;
}

TEST(TreeWalk, SaysWhichPathsAreNotThere) {
  Home home;
  home.tree.symlink(1, "link", "Users");
  const Walked walked = walk(home.tree, {"/Users/eve/x", "/link/ann", "/*.exe", "/other"});
  ASSERT_EQ(walked.unmatched.size(), 3U);
  EXPECT_EQ(walked.unmatched[0].what, "there is no /Users/eve");
  EXPECT_EQ(walked.unmatched[1].what, "/link/ann: /link is a symlink, not a folder");
  EXPECT_EQ(walked.unmatched[2].what, "nothing is called /*.exe");
}

TEST(TreeWalk, LoopsAndDamageEndNothing) {
  Home home;
  home.tree.link(home.ann, "loop", home.users);
  home.tree.link(home.other, "again", home.bob);
  home.tree[home.ann].damaged = true;
  const Walked walked = walk(home.tree, {"/"});
  EXPECT_THAT(walked.damaged, UnorderedElementsAre("/Users/ann", "/Users/ann/loop", "/other/again"));
  EXPECT_THAT(walked.paths, testing::Contains("/other/d.doc"));
}

TEST(TreeWalk, DepthHasALimit) {
  FakeTree tree;
  std::uint64_t at = 1;
  for (int i = 0; i < 300; ++i) at = tree.folder(at, "d");
  const Walked walked = walk(tree, {"/"});
  EXPECT_EQ(walked.damaged.size(), 1U);
  EXPECT_LT(walked.paths.size(), 260U);
}

TEST(TreeWalk, AFolderOfManyFilesIsReadInBatches) {
  FakeTree tree;
  for (int i = 0; i < 140'000; ++i) tree.file(1, std::to_string(i));
  EXPECT_EQ(walk(tree, {"/*"}).paths.size(), 140'000U);
}

TEST(TreeWalk, RefusesPathsThatMakeNoSense) {
  FakeTree tree;
  EXPECT_EQ(parse_path_pattern("/a/../b", tree).error().code, ErrorCode::usage);
  EXPECT_EQ(parse_path_pattern(std::string(5000, 'a'), tree).error().code, ErrorCode::usage);
  EXPECT_EQ(parse_path_pattern(std::string("a\0b", 3), tree).error().code, ErrorCode::usage);
}

}  // namespace
}  // namespace tintype::test
