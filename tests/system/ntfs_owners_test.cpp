// SPDX-License-Identifier: GPL-3.0-or-later
// Who owns the bytes of an NTFS volume: against the extents that the files themselves give, and ntfscluster.
#include <algorithm>

#include "drive/open.h"
#include "fs/file_tree.h"
#include "ntfs_tree_support.h"

namespace tintype::test {
namespace {

// Which file ntfscluster finds at a cluster: its MFT record, 0 if none.
std::vector<std::uint64_t> judge_owners(const stdfs::path& image, std::uint64_t cluster) {
  std::vector<std::uint64_t> out;
  const std::string said = run("ntfscluster -f -c " + std::to_string(cluster) + "-" + std::to_string(cluster) + " " + shell_word(image) + " 2>/dev/null").output;
  for (std::size_t at = said.find("Inode "); at != std::string::npos; at = said.find("Inode ", at + 1)) {
    const std::string line = said.substr(at, said.find('\n', at) - at);
    if (line.find("is an extent of") == std::string::npos) out.push_back(std::strtoull(line.c_str() + 6, nullptr, 10));
  }
  return out;
}

TEST_F(NtfsTreeSystem, OwnersOfTheWholeVolume) {
  if (!have_program("ntfscluster")) GTEST_SKIP() << "ntfscluster is missing";
  const std::uint64_t size = 64U << 20;
  const ScratchFile image = make_volume(size, "-c 4096");
  {
    const Mount mount(image.path(), "rw,compression,streams_interface=xattr");
    ASSERT_TRUE(mount.ok()) << mount.output();
    populate(mount, {"", size, true});
  }
  const auto drive = open_drive(image.path().string());
  const auto tree = open_file_tree(*drive);
  ASSERT_TRUE(tree);
  const auto owners = (*tree)->owners(ExtentSet({{0, size}}));
  ASSERT_TRUE(owners);
  ExtentSet all;
  std::uint64_t free_bytes = 0;
  std::vector<std::string> structures;
  Extent in_mft;
  for (const ByteOwner& owner : *owners) {
    for (const Extent& extent : owner.bytes.items()) all.add(extent);
    if (owner.what == "free space") free_bytes += owner.bytes.total_bytes();
    if (owner.kind == ByteOwner::Kind::structure) structures.push_back(owner.what);
    EXPECT_NE(owner.what, "allocated space that no file claims");
    EXPECT_FALSE(owner.what.starts_with("/?")) << owner.what;
    if (owner.what == "/empty" && owner.part == "MFT record") in_mft = owner.bytes.items().front();
  }
  EXPECT_EQ(all.total_bytes(), size);
  const auto fs = open_file_system(*drive);
  EXPECT_EQ(free_bytes, (*fs)->info().free_bytes);
  for (const char* what : {"the MFT", "the MFT mirror", "the log file", "the bitmap", "the boot sector", "the backup of the boot sector", "the bitmap of the MFT"})
    EXPECT_TRUE(std::ranges::count(structures, what)) << what;

  // One by one: what a file says of itself, the search must say of its bytes, and so must ntfscluster.
  for (const char* path : {"/big", "/sparse", "/fragmented", "/packed/mixed"}) {
    SCOPED_TRACE(path);
    const FileNode node = find_node(**tree, path).value();
    const auto extents = (*tree)->open(node).value()->extents().value();
    ASSERT_FALSE(extents.empty());
    const auto found = (*tree)->owners(ExtentSet(extents));
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), 1U);
    EXPECT_EQ(find_node(**tree, found->front().what).value().id, node.id);
    EXPECT_EQ(found->front().kind, ByteOwner::Kind::file);
    EXPECT_EQ(found->front().bytes, ExtentSet(extents));
    EXPECT_EQ(judge_owners(image.path(), extents[extents.size() / 2].start / 4096), std::vector<std::uint64_t>{node.id});
  }
  const FileNode streamed = find_node(**tree, "/with streams").value();
  const auto stream_extents = (*tree)->open(streamed, "large").value()->extents().value();
  const auto of_stream = (*tree)->owners(ExtentSet({{stream_extents.front().start + 5, 1}}));
  ASSERT_EQ(of_stream->size(), 1U);
  EXPECT_EQ(of_stream->front().what, "/with streams:large");

  // The index of a folder, by ntfscluster's word, and a file's own record.
  const auto folder = std::ranges::find_if(*owners, [](const ByteOwner& o) { return o.what == "/small" && o.part == "index"; });
  ASSERT_NE(folder, owners->end());
  EXPECT_EQ(folder->kind, ByteOwner::Kind::folder);
  EXPECT_EQ(judge_owners(image.path(), folder->bytes.items().front().start / 4096), std::vector<std::uint64_t>{find_node(**tree, "/small").value().id});
  ASSERT_EQ(in_mft.length, 1024U);
  const auto of_record = (*tree)->owners(ExtentSet({{in_mft.start + 600, 100}}));
  ASSERT_EQ(of_record->size(), 1U);
  EXPECT_EQ(of_record->front().what, "/empty");
  EXPECT_EQ(of_record->front().part, "MFT record");
}

}  // namespace
}  // namespace tintype::test
