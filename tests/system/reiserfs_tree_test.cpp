// SPDX-License-Identifier: GPL-3.0-or-later
// Files of ReiserFS without mounting. tests/golden/reiserfs/ holds small volumes that Linux 6.1's own driver filled, and beside each what that
// driver then showed of it ("./path|kind|mode|owner|group|size|modified|links|inode|MD5 or target"). debugreiserfs says what each block is.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "drive/open.h"
#include "support/scratch.h"
#include "tree_support.h"

namespace tintype::test {
namespace {

namespace fs = std::filesystem;

class ReiserfsTree : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!have_program("xz") || !have_program("md5sum")) GTEST_SKIP() << "needs xz and md5sum";
    auto made = ScratchFile::make();
    ASSERT_TRUE(made);
    image_.emplace(*std::move(made));
    ASSERT_EQ(run("xz -dc " + shell_word(golden(".img.xz")) + " > " + shell_word(image_->path())).status, 0);
  }
  static fs::path golden(const std::string& ending) { return fs::path(TINTYPE_SOURCE_DIR) / "tests/golden/reiserfs" / (GetParam() + ending); }
  const fs::path& image() const { return image_->path(); }
  std::optional<ScratchFile> image_;
};

const char* kind_in_words(NodeKind kind, bool empty, bool block) {
  switch (kind) {
    case NodeKind::folder: return "directory";
    case NodeKind::symlink: return "symbolic link";
    case NodeKind::fifo: return "fifo";
    case NodeKind::device: return block ? "block special file" : "character special file";
    case NodeKind::socket: return "socket";
    default: return empty ? "regular empty file" : "regular file";
  }
}

// The lines that the driver gave, of this tree.
void lines_of(FileTree& tree, const FileNode& folder, const std::string& path, std::map<std::string, std::string>& out) {
  const auto listed = tree.list(folder, [&](const FileNode& node) {
    const std::string here = path + "/" + node.name;
    std::string last = "-";
    if (node.kind == NodeKind::symlink) last = tree.link_target(node).value_or(std::nullopt).value_or("unreadable");
    if (node.kind == NodeKind::file) {
      const auto content = tree.open(node);
      const auto scratch = ScratchFile::make();
      std::ofstream file(scratch->path(), std::ios::binary);
      Bytes bytes(70'001);
      for (std::uint64_t at = 0; content && at < node.size_bytes;) {
        const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), node.size_bytes - at));
        if (const auto got = (*content)->read(at, MutableByteSpan(bytes).first(n)); !got) ADD_FAILURE() << here << ": " << got.error().message();
        file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(n));
        at += n;
      }
      file.close();
      last = run("md5sum < " + shell_word(scratch->path())).output.substr(0, 32);
    }
    std::ostringstream line;
    line << kind_in_words(node.kind, node.size_bytes == 0, node.name == "block") << '|' << std::oct << node.mode.value_or(0) << std::dec << '|'
         << node.owner.value_or(~0u) << '|' << node.group.value_or(~0u) << '|' << node.size_bytes << '|' << node.modified.value_or(0) / 1'000'000'000
         << '|' << node.links << '|' << node.id << '|' << last;
    out[here] = line.str();
    if (node.kind == NodeKind::folder) lines_of(tree, node, here, out);
    return true;
  });
  EXPECT_TRUE(listed) << path << ": " << listed.error().message();
}

TEST_P(ReiserfsTree, HoldsWhatTheKernelShowed) {
  std::map<std::string, std::string> theirs, ours;
  std::ifstream in(golden(".txt"));
  for (std::string line; std::getline(in, line);) theirs[line.substr(0, line.find('|'))] = line.substr(line.find('|') + 1);
  ASSERT_GT(theirs.size(), 600U);
  const auto tree = open_tree(image());
  ASSERT_TRUE(tree) << tree.error().message();
  EXPECT_EQ((*tree)->warning(), "");
  const auto root = (*tree)->root();
  ASSERT_TRUE(root);
  lines_of(**tree, *root, ".", ours);
  for (const auto& [path, line] : theirs) EXPECT_EQ(ours[path], line) << path;
  EXPECT_EQ(ours.size(), theirs.size());

  const auto holes = find_node(**tree, "/holes");
  ASSERT_TRUE(holes);
  const auto content = (*tree)->open(*holes);
  const auto data = (*content)->next_data(100'000);
  ASSERT_TRUE(data && *data);
  EXPECT_GT((*data)->start, 900'000U);
  EXPECT_LE((*data)->start, 1'000'000U);
}

// Each piece of a file, tails too, belongs to it; blocks of the tree and free ones are what debugreiserfs calls them.
TEST_P(ReiserfsTree, OwnersAreRight) {
  const auto tree = open_tree(image());
  ASSERT_TRUE(tree) << tree.error().message();
  for (const std::string path : {"/in many pieces", "/tail-100", "/tail-5000", "/many/a-file-with-a-long-name-699", "/holes"}) {
    const auto node = find_node(**tree, path);
    ASSERT_TRUE(node) << node.error().message();
    const auto content = (*tree)->open(*node);
    const auto extents = (*content)->extents();
    ASSERT_TRUE(extents);
    ASSERT_FALSE(extents->empty());
    for (const Extent& extent : *extents) EXPECT_NE((owner_of(**tree, extent) + ",").find("file: " + path + ","), std::string::npos);
  }
  if (!have_program("debugreiserfs")) GTEST_SKIP() << "needs reiserfsprogs";
  const std::string printed = run("debugreiserfs -d " + shell_word(image()) + " 2>/dev/null").output;
  std::smatch found;
  ASSERT_TRUE(std::regex_search(printed, found, std::regex("Blocksize: (\\d+)")));
  const std::uint64_t block_bytes = std::stoull(found[1]);
  int leaves = 0;
  const std::regex leaf("LEAF NODE \\((\\d+)\\)");
  for (std::sregex_iterator at(printed.begin(), printed.end(), leaf), end; at != end && leaves < 20; ++at, ++leaves)
    EXPECT_TRUE(owner_of(**tree, {std::stoull((*at)[1]) * block_bytes + 4, 4}).starts_with("structure: the tree"));
  EXPECT_GT(leaves, 10);
  EXPECT_EQ(owner_of(**tree, {65536, 10}), "structure: the superblock");
  EXPECT_EQ(owner_of(**tree, {fs::file_size(image()) - 10, 10}), "free: free space");
}

INSTANTIATE_TEST_SUITE_P(Volumes, ReiserfsTree, testing::Values("v36_r5", "v36_2k_rupasov"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace
}  // namespace tintype::test
