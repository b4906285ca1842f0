// SPDX-License-Identifier: GPL-3.0-or-later
// Files of ext2/3/4 without mounting, against the kernel's driver (names, kinds, times, modes, contents) and debugfs (whose block is it).
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "ext_support.h"
#include "tree_support.h"

namespace tintype::test {
namespace {

namespace fs = std::filesystem;

struct Case {
  const char* name;
  const char* options;
  std::uint64_t mebibytes;
  const char* prepare = "true";  // in the mounted root
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

struct ScratchFolder {
  fs::path path;
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "tintype-tree-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

// Everything that a tree can hold, made in the working folder.
constexpr const char* kPopulate = R"sh(
set -e
mkdir -p many deep/a/b/c/d "name with blanks" tiny
for i in $(seq 1 1200); do echo $i > many/a-file-with-a-rather-long-name-so-that-the-folder-grows-$i; done
for i in 1 3 10 40 59 60 61 100 150 200; do head -c $i /dev/urandom > tiny/of-$i; ln -s $(head -c $i /dev/zero | tr '\0' x) tiny/link-$i; done
head -c 3000000 /dev/urandom > deep/a/b/c/d/big
ln deep/a/b/c/d/big deep/hard
truncate -s 700M sparse; printf x | dd of=sparse bs=1 seek=400000000 conv=notrunc status=none; printf y | dd of=sparse bs=1 seek=5000 conv=notrunc status=none
fallocate -l 300000 unwritten 2>/dev/null && printf z | dd of=unwritten bs=1 seek=100000 conv=notrunc status=none || true
for i in $(seq 0 2 300); do dd if=/dev/urandom of=holes bs=4096 seek=$i count=1 conv=notrunc status=none; done
ln -s $(head -c 900 /dev/zero | tr '\0' y) longlink
ln -s deep/a shortlink
mkfifo fifo; mknod char c 1 3; mknod block b 7 200
python3 -c "import socket; s = socket.socket(socket.AF_UNIX); s.bind('sock')"
touch -d '1912-03-04 05:06:07' old; touch -d '2040-01-02 03:04:05.123456789' new; touch -d '2300-01-01' far || true
chmod 4751 old; chown 70000:123456 new; chmod 1777 many
touch "$(printf 'caf\303\251')" "$(printf 'bad\377\376bytes')" "$(head -c 255 /dev/zero | tr '\0' n)"
rm many/*7; : > empty
)sh";

class ExtTree : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!have_program("mke2fs") || !have_program("debugfs")) GTEST_SKIP() << "needs e2fsprogs";
    // What is on the drive before must not show: in blocks allocated but not written, in parts of inode tables not used yet.
    ASSERT_EQ(run("head -c " + std::to_string(GetParam().mebibytes) + "M /dev/zero | tr '\\0' '\\333' > " + shell_word(image())).status, 0);
    const CommandOutcome made = run(std::string("mke2fs -q -F -E nodiscard ") + GetParam().options + " " + shell_word(image()));
    ASSERT_EQ(made.status, 0) << made.output;
    const Mount mount(image());
    if (!mount.ok()) GTEST_SKIP() << "the kernel here does not mount " << GetParam().options << " by loop";
    const std::string script = "cd " + shell_word(mount.folder()) + " && " + GetParam().prepare + " && bash -c " + shell_word(kPopulate);
    const CommandOutcome filled = run(script);
    ASSERT_EQ(filled.status, 0) << filled.output;
  }
  fs::path image() const { return scratch_.path / "image"; }
  ScratchFolder scratch_;
};

TEST_P(ExtTree, HoldsWhatTheKernelShows) {
  const Mount mount(image(), "ro");
  ASSERT_TRUE(mount.ok());
  const auto tree = open_tree(image());
  ASSERT_TRUE(tree) << tree.error().message();
  EXPECT_EQ((*tree)->warning(), "");
  EXPECT_EQ(differences(**tree, mount.folder()), "");
}

std::string debugfs(const fs::path& image, const std::string& command) {
  return run("debugfs -R " + shell_word(command) + " " + shell_word(image) + " 2>/dev/null").output;
}

// Blocks of every file and folder that debugfs can name, and what lies around them.
TEST_P(ExtTree, OwnersAreThoseThatDebugfsNames) {
  const auto tree = open_tree(image());
  ASSERT_TRUE(tree) << tree.error().message();
  std::uint64_t block_bytes = 0, blocks = 0;
  std::istringstream header(run("dumpe2fs -h " + shell_word(image()) + " 2>/dev/null").output);
  for (std::string line; std::getline(header, line);) {
    if (line.starts_with("Block size:")) block_bytes = std::stoull(line.substr(11));
    if (line.starts_with("Block count:")) blocks = std::stoull(line.substr(12));
  }
  ASSERT_GT(block_bytes, 0U);
  std::string asked, inodes;
  for (std::uint64_t block = 1; block < blocks; block += blocks / 50 + 1) asked += " " + std::to_string(block);
  for (const char* path : {"deep/a/b/c/d/big", "holes", "sparse", "many", "longlink", "deep/a/b"})
    asked += " " + debugfs(image(), std::string("bmap /") + path + (std::string(path) == "sparse" ? " 97656" : " 0"));
  std::replace(asked.begin(), asked.end(), '\n', ' ');
  std::istringstream rows(debugfs(image(), "icheck " + asked));
  std::string title;
  std::getline(rows, title);
  int files = 0;
  for (std::string row; std::getline(rows, row);) {
    std::istringstream words(row);
    std::uint64_t block = 0, inode = 0;
    words >> block;
    if (block == 0) continue;
    const std::string ours = owner_of(**tree, {block * block_bytes, block_bytes});
    SCOPED_TRACE(row + " | " + ours);
    if (!(words >> inode)) {
      EXPECT_FALSE(ours.starts_with("file") || ours.starts_with("folder"));
      const bool free = debugfs(image(), "testb " + std::to_string(block)).find("not in use") != std::string::npos;
      EXPECT_EQ(free, ours == "free: free space");
      continue;
    }
    if (inode < 11 && inode != 2) {
      EXPECT_TRUE(ours.starts_with("structure: "));
      continue;
    }
    ++files;
    const std::string names = inode == 2 ? "2 /\n" : debugfs(image(), "ncheck " + std::to_string(inode));
    const std::string path = ours.substr(ours.find(": ") + 2);
    EXPECT_NE(names.find(path + "\n"), std::string::npos) << names;
    EXPECT_EQ(run("debugfs -R 'stat <" + std::to_string(inode) + ">' " + shell_word(image()) + " 2>/dev/null").output.find("Type: directory") !=
                  std::string::npos,
              ours.starts_with("folder: "));
  }
  EXPECT_GE(files, 5);
  EXPECT_EQ(owner_of(**tree, {1024, 100}), "structure: the superblock");
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, ExtTree,
    testing::Values(Case{"ext2", "-t ext2 -b 1024", 64}, Case{"ext2_old_inodes", "-t ext2 -b 4096 -I 128 -O ^filetype,^dir_index", 64},
                    Case{"ext3", "-t ext3 -b 2048", 96}, Case{"ext4", "-t ext4", 96}, Case{"ext4_1k", "-t ext4 -b 1024 -O ^metadata_csum,uninit_bg", 64},
                    Case{"ext4_inline", "-t ext4 -O inline_data -I 256", 64}, Case{"ext4_inline_1k_inodes", "-t ext4 -b 1024 -O inline_data,meta_bg,^resize_inode -I 1024", 96},
                    Case{"ext4_bigalloc", "-t ext4 -O bigalloc -C 16384", 128}, Case{"ext4_no_64bit", "-t ext4 -O ^64bit,^flex_bg,^extent", 64},
                    Case{"ext4_sparse_super2", "-t ext4 -O sparse_super2,large_dir,ea_inode -E lazy_itable_init=1,nodiscard", 64}),
    [](const auto& each) { return each.param.name; });

// The journal is left as the kernel leaves it when the machine stops; the tree says so and shows what stands in place.
TEST(ExtTreeJournal, SaysThatItIsNotReplayed) {
  if (!have_program("mke2fs") || !have_program("debugfs")) GTEST_SKIP() << "needs e2fsprogs";
  const ScratchFolder scratch;
  const fs::path image = scratch.path / "image";
  ASSERT_EQ(run("truncate -s 16M " + shell_word(image) + " && mke2fs -q -F -t ext4 " + shell_word(image)).status, 0);
  ASSERT_EQ(run("debugfs -w -R 'feature needs_recovery' " + shell_word(image)).status, 0);
  const auto tree = open_tree(image);
  ASSERT_TRUE(tree) << tree.error().message();
  EXPECT_NE((*tree)->warning().find("journal"), std::string::npos);
  EXPECT_TRUE(find_node(**tree, "/lost+found"));
}

}  // namespace
}  // namespace tintype::test
