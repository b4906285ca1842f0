// SPDX-License-Identifier: GPL-3.0-or-later
// ext2/3/4 against mke2fs, dumpe2fs, e2fsck and the kernel: the map must equal what dumpe2fs calls in use, and a
// volume of which only the map survives must be whole.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>

#include "drive/drive.h"
#include "drive/open.h"
#include "ext_support.h"
#include "fs/probe.h"

namespace tintype::test {
namespace {

namespace fs = std::filesystem;

struct Case {
  const char* name;
  const char* options;
  std::uint64_t mebibytes;
  FsType type;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

// A folder that goes away with the test.
struct ScratchFolder {
  fs::path path;
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "tintype-ext-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

std::string make_file_system(const fs::path& image, const Case& c, const fs::path& tree) {
  (void)run("truncate -s " + std::to_string(c.mebibytes) + "M " + shell_word(image));
  const CommandOutcome made =
      run(std::string("mke2fs -q -F ") + c.options + " -d " + shell_word(tree) + " " + shell_word(image));
  return made.status == 0 ? "" : made.output;
}

// The map is the complement of what dumpe2fs lists as free.
void expect_same_as_dumpe2fs(const fs::path& image, const Seen& seen) {
  const Dumped dumped = dumpe2fs(image);
  ASSERT_GT(dumped.blocks, 0u);
  EXPECT_EQ(seen.info.used_bytes, (dumped.blocks - dumped.free_blocks) * dumped.block_bytes);
  EXPECT_EQ(seen.info.free_bytes, dumped.free_blocks * dumped.block_bytes);
  ExtentSet expected({{0, fs::file_size(image)}});
  for (const Extent& free : dumped.free.items()) expected.remove(free);
  EXPECT_EQ(seen.map.items().size(), expected.items().size());
  EXPECT_TRUE(seen.map == expected) << "bytes: " << seen.map.total_bytes() << " instead of " << expected.total_bytes();
  EXPECT_EQ(seen.info.last_used_byte, seen.map.end());
}

void expect_whole(const fs::path& image, const std::string& wanted) {
  const CommandOutcome checked = run("e2fsck -fn " + shell_word(image));
  EXPECT_EQ(checked.status, 0) << checked.output;
  const Mount mount(image, "ro,noload");
  if (mount.ok()) {
    EXPECT_EQ(digest(mount.folder()), wanted);
  }
}

class ExtKinds : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!have_program("mke2fs") || !have_program("dumpe2fs") || !have_program("e2fsck"))
      GTEST_SKIP() << "needs e2fsprogs";
  }
};

TEST_P(ExtKinds, MapIsWhatDumpe2fsCallsUsed) {
  const ScratchFolder scratch;
  const fs::path tree = scratch.path / "tree", image = scratch.path / "image";
  make_tree(tree);
  const std::string problem = make_file_system(image, GetParam(), tree);
  if (!problem.empty()) GTEST_SKIP() << "mke2fs cannot make it: " << problem;
  const std::string wanted = digest(tree);

  Result<Seen> seen = look_at(image);
  ASSERT_TRUE(seen) << seen.error().message();
  EXPECT_EQ(seen->info.type, GetParam().type);
  EXPECT_EQ(seen->info.state, FsState::clean);
  ASSERT_TRUE(seen->info.used_map_known) << seen->info.warning;
  expect_same_as_dumpe2fs(image, *seen);
  spoil_all_but(image, seen->map);
  expect_whole(image, wanted);
}

// The kernel's allocator, with holes from deleted files.
TEST_P(ExtKinds, AfterTheKernelHasWrittenToIt) {
  const ScratchFolder scratch;
  const fs::path tree = scratch.path / "tree", image = scratch.path / "image";
  make_tree(tree);
  const std::string problem = make_file_system(image, GetParam(), tree);
  if (!problem.empty()) GTEST_SKIP() << "mke2fs cannot make it: " << problem;
  std::string wanted;
  {
    const Mount mount(image);
    if (!mount.ok()) GTEST_SKIP() << "the kernel cannot mount it here";
    const std::string to = shell_word(mount.folder());
    (void)run("cp -r " + shell_word(tree) + " " + to + "/second; find " + to + "/a -name 'file*[135]' -delete; cp -r " +
              shell_word(tree) + "/a " + to + "/third; fallocate -l 700K " + to + "/unwritten");
    wanted = digest(mount.folder());
  }
  Result<Seen> seen = look_at(image);
  ASSERT_TRUE(seen) << seen.error().message();
  ASSERT_TRUE(seen->info.used_map_known) << seen->info.warning;
  EXPECT_EQ(seen->info.state, FsState::clean);
  expect_same_as_dumpe2fs(image, *seen);
  spoil_all_but(image, seen->map);
  expect_whole(image, wanted);
}

// A copy taken while mounted: what was flushed before is there after e2fsck has replayed the journal.
TEST_P(ExtKinds, CopyOfAMountedOne) {
  const ScratchFolder scratch;
  const fs::path tree = scratch.path / "tree", image = scratch.path / "image", copy = scratch.path / "copy";
  make_tree(tree);
  const std::string problem = make_file_system(image, GetParam(), tree);
  if (!problem.empty()) GTEST_SKIP() << "mke2fs cannot make it: " << problem;
  std::string wanted;
  {
    const Mount mount(image);
    if (!mount.ok()) GTEST_SKIP() << "the kernel cannot mount it here";
    const std::string to = shell_word(mount.folder());
    // One long commit after another, so that much stays in the journal only; then writes that no one flushed.
    (void)run("for i in 1 2; do cp -r " + shell_word(tree) + " " + to + "/copy$i; sync -f " + to +
              "; done; find " + to + "/a -name 'file*[135]' -delete; cp -r " + shell_word(tree) + "/a " + to + "/last; " +
              "sync -f " + to);
    wanted = digest(mount.folder());
    (void)run("cp -r " + shell_word(tree) + " " + to + "/unflushed");
    (void)run("cp --sparse=always " + shell_word(image) + " " + shell_word(copy));
  }
  Result<Seen> seen = look_at(copy);
  ASSERT_TRUE(seen) << seen.error().message();
  EXPECT_EQ(seen->info.state, FsState::dirty);
  // Without a journal nothing tells what was under way: then everything is saved.
  const bool journal = GetParam().type != FsType::ext2 && std::string_view(GetParam().name) != "no_journal";
  EXPECT_EQ(seen->info.used_map_known, journal) << seen->info.warning;
  spoil_all_but(copy, seen->map);
  const CommandOutcome repaired = run("e2fsck -fy " + shell_word(copy));
  EXPECT_LE(repaired.status, 1) << repaired.output;
  const Mount mount(copy);
  ASSERT_TRUE(mount.ok());
  (void)run("rm -rf " + shell_word(mount.folder()) + "/unflushed");
  EXPECT_EQ(digest(mount.folder()), wanted);
}

INSTANTIATE_TEST_SUITE_P(
    All, ExtKinds,
    testing::Values(Case{"ext2", "-t ext2", 60, FsType::ext2}, Case{"ext3", "-t ext3", 60, FsType::ext3},
                    Case{"ext4", "-t ext4", 90, FsType::ext4},
                    Case{"blocks_1k", "-t ext4 -b 1024 -g 4096", 70, FsType::ext4},
                    Case{"blocks_2k", "-t ext4 -b 2048", 70, FsType::ext4},
                    Case{"blocks_4k_odd_end", "-t ext4 -b 4096 -g 1024", 67, FsType::ext4},
                    Case{"ext2_4k", "-t ext2 -b 4096 -O ^resize_inode", 64, FsType::ext2},
                    Case{"no_flex_bg", "-t ext4 -O ^flex_bg -b 1024", 70, FsType::ext4},
                    Case{"meta_bg", "-t ext4 -O meta_bg,^resize_inode -b 1024 -g 1024", 70, FsType::ext4},
                    Case{"meta_bg_32bit", "-t ext4 -O meta_bg,^resize_inode,^64bit,^flex_bg -b 1024 -g 512", 70, FsType::ext4},
                    Case{"bits_64", "-t ext4 -O 64bit -b 4096", 64, FsType::ext4},
                    Case{"bits_32", "-t ext4 -O ^64bit -b 4096", 64, FsType::ext4},
                    Case{"bigalloc", "-t ext4 -O bigalloc -C 16384 -b 4096", 96, FsType::ext4},
                    Case{"bigalloc_1k", "-t ext4 -O bigalloc -b 1024 -C 8192", 96, FsType::ext4},
                    Case{"uninit_bg", "-t ext4 -O ^metadata_csum,uninit_bg -b 1024", 70, FsType::ext4},
                    Case{"no_checksums", "-t ext4 -O ^metadata_csum,^uninit_bg -b 1024", 70, FsType::ext4},
                    Case{"sparse_super2", "-t ext4 -O sparse_super2,^resize_inode -b 1024", 70, FsType::ext4},
                    Case{"no_sparse_super", "-t ext3 -O ^sparse_super,^resize_inode -b 1024 -g 2048", 70, FsType::ext3},
                    Case{"no_resize_inode", "-t ext4 -O ^resize_inode", 64, FsType::ext4},
                    Case{"csum_seed", "-t ext4 -O metadata_csum_seed", 64, FsType::ext4},
                    Case{"packed_meta", "-t ext4 -E packed_meta_blocks=1 -b 1024", 70, FsType::ext4},
                    Case{"no_journal", "-t ext4 -O ^has_journal", 64, FsType::ext4}),
    [](const auto& tested) { return std::string(tested.param.name); });

// Opened and streamed in seconds, with little memory, whatever the size.
TEST(Ext, EightTebibytes) {
  if (!have_program("mke2fs")) GTEST_SKIP() << "needs e2fsprogs";
  const ScratchFolder scratch;
  const fs::path image = scratch.path / "image";
  if (run("truncate -s 8T " + shell_word(image)).status != 0) GTEST_SKIP() << "no files of this size here";
  ASSERT_EQ(run("mke2fs -q -F -t ext4 -E lazy_itable_init=1,lazy_journal_init=1,nodiscard " + shell_word(image)).status, 0);
  const auto started = std::chrono::steady_clock::now();
  Result<std::shared_ptr<Drive>> drive = open_drive(image.string());
  ASSERT_TRUE(drive);
  Result<std::unique_ptr<FileSystem>> file_system = open_file_system(*drive);
  ASSERT_TRUE(file_system);
  ASSERT_TRUE((*file_system)->info().used_map_known) << (*file_system)->info().warning;
  Result<std::unique_ptr<ExtentStream>> stream = (*file_system)->used_map();
  ASSERT_TRUE(stream);
  std::uint64_t total = 0;
  while (true) {
    Result<std::optional<Extent>> extent = (*stream)->next();
    ASSERT_TRUE(extent) << extent.error().message();
    if (!*extent) break;
    total += (*extent)->length;
  }
  EXPECT_EQ(total, (*file_system)->info().used_bytes);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(10));
}

}  // namespace
}  // namespace tintype::test
