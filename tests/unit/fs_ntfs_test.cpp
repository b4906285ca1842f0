// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "fs/filesystem.h"
#include "fs/ntfs/boot_sector.h"
#include "fs/ntfs/cluster_bitmap.h"
#include "fs/ntfs/left_out.h"
#include "fs/ntfs/record.h"
#include "fs/ntfs/run_list.h"
#include "fs/ntfs/volume_state.h"
#include "support/corpus.h"

namespace tintype::ntfs {
namespace {

Bytes bytes_of(std::initializer_list<int> values) {
  Bytes out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

Bytes boot_sector() {
  Bytes b(512);
  const std::string_view name = "NTFS    ";
  std::copy_n(as_bytes(name).begin(), name.size(), b.begin() + 3);
  store_le<std::uint16_t>(b, 0x0b, 512);
  b[0x0d] = std::byte{8};
  store_le<std::uint64_t>(b, 0x28, 80'000);
  store_le<std::uint64_t>(b, 0x30, 4);
  store_le<std::uint64_t>(b, 0x38, 5'000);
  b[0x40] = std::byte{0xf6};  // 1 KiB
  b[0x44] = std::byte{1};
  return b;
}

TEST(NtfsLeftOut, OnlyAFileWhoseHeadARestoreWouldFind) {
  EXPECT_TRUE(head_begins_a_piece({{8192, 4096}, {12288, 4096}, {65536, 8192}}));
  EXPECT_TRUE(head_begins_a_piece({{65536, 8192}, {8192, 4096}}));
  EXPECT_FALSE(head_begins_a_piece({{12288, 4096}, {8192, 4096}}));  // joined to one piece, the head in its middle
  EXPECT_FALSE(head_begins_a_piece({}));
}

TEST(NtfsBootSector, ClusterSizes) {
  const std::pair<int, std::uint32_t> cases[] = {{1, 512}, {128, 65536}, {0xf8, 131072}, {0xf4, 2U << 20}};
  for (const auto& [code, cluster] : cases) {
    Bytes b = boot_sector();
    store_le<std::uint64_t>(b, 0x28, std::uint64_t{1} << 30);
    b[0x0d] = static_cast<std::byte>(code);
    b[0x44] = std::byte{0xf4};
    const auto boot = parse_boot_sector(b);
    ASSERT_TRUE(boot) << code;
    EXPECT_EQ(boot->cluster_bytes, cluster);
    EXPECT_EQ(boot->record_bytes, 1024U);
  }
  for (const int code : {0, 3, 0x81, 0xf3}) {
    Bytes b = boot_sector();
    b[0x0d] = static_cast<std::byte>(code);
    EXPECT_FALSE(parse_boot_sector(b)) << code;
  }
}

TEST(NtfsRunList, DecodesForwardBackwardAndHoles) {
  const Bytes pairs = bytes_of({0x21, 0x18, 0x34, 0x56, 0x11, 0x02, 0xf0, 0x01, 0x05, 0x11, 0x01, 0x20, 0x00, 0xff});
  RunList list;
  ASSERT_TRUE(list.append(pairs, 0, 0x18 + 2 + 5 + 1 - 1, 1 << 20));
  ASSERT_EQ(list.runs().size(), 4U);
  EXPECT_EQ(list.runs()[0].lcn, 0x5634U);
  EXPECT_EQ(list.runs()[1].lcn, 0x5624U);
  EXPECT_FALSE(list.runs()[2].lcn);
  EXPECT_EQ(list.runs()[3].lcn, 0x5644U);
  EXPECT_EQ(list.runs()[3].vcn, 0x1fU);
  EXPECT_TRUE(list.has_holes());
  // Continued without a gap only.
  EXPECT_FALSE(list.append(pairs, 0x21, 0, 1 << 20));
}

TEST(NtfsRunList, RefusesWhatCannotBe) {
  const Bytes cases[] = {bytes_of({0x21, 0x10, 0x00}), bytes_of({0x11, 0x00, 0x05}), bytes_of({0x11, 0x80, 0x05}),
                         bytes_of({0x11, 0x10, 0xf0}), bytes_of({0x11, 0x20, 0x70}), bytes_of({0x19, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}),
                         bytes_of({0x10, 0x01})};
  for (const Bytes& pairs : cases) {
    RunList list;
    EXPECT_FALSE(list.append(pairs, 0, 0, 0x80)) << static_cast<int>(pairs[0]) << " " << static_cast<int>(pairs[1]);
  }
}

TEST(NtfsRecord, TornBlocksAreSeen) {
  Bytes block(1024);
  store_le<std::uint16_t>(block, 4, 48);
  store_le<std::uint16_t>(block, 6, 3);
  store_le<std::uint16_t>(block, 48, 7);
  store_le<std::uint16_t>(block, 50, 0x1111);
  store_le<std::uint16_t>(block, 52, 0x2222);
  store_le<std::uint16_t>(block, 510, 7);
  store_le<std::uint16_t>(block, 1022, 7);
  Bytes torn = block;
  store_le<std::uint16_t>(torn, 1022, 6);
  EXPECT_FALSE(undo_fixups(torn));
  ASSERT_TRUE(undo_fixups(block));
  EXPECT_EQ(le16(block, 510), 0x1111);
  EXPECT_EQ(le16(block, 1022), 0x2222);
}

// Damage to a real volume: each kind must end in "everything" or in the right state, never in a smaller map.
class NtfsDamage : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto& entry : test::corpus_entries("raw:ntfs"))
      if (entry.path.ends_with("syz_mount_image_ntfs_4.img.xz")) drive_ = *test::load_corpus(entry);
    if (!drive_) GTEST_SKIP() << "no corpus";
    Bytes sector(512);
    ASSERT_TRUE(drive_->read(0, sector));
    boot_ = *parse_boot_sector(sector);
  }
  std::uint64_t stream_at(std::uint64_t record) {
    Mft mft = *Mft::open(*drive_, boot_);
    return mft.load_file(record)->find(kData)->runs.extents(boot_.cluster_bytes).front().start;
  }
  void expect_everything() {
    const auto fs = open_file_system(drive_);
    ASSERT_TRUE(fs);
    EXPECT_EQ((*fs)->info().type, FsType::ntfs);
    EXPECT_FALSE((*fs)->info().used_map_known);
    EXPECT_NE((*fs)->info().warning, "");
    EXPECT_EQ(collect(**(*fs)->used_map())->total_bytes(), drive_->size_bytes());
  }
  std::shared_ptr<Drive> drive_;
  BootSector boot_;
};

TEST_F(NtfsDamage, BootSectorLostButBackupSane) {
  ASSERT_TRUE(drive_->zero(0, 512));
  expect_everything();
  EXPECT_NE((*open_file_system(drive_))->info().warning.find("backup"), std::string::npos);
}

TEST_F(NtfsDamage, BitmapContradictsTheFileSystem) {
  ASSERT_TRUE(drive_->zero(stream_at(kBitmapRecord), 1));
  expect_everything();
}

TEST_F(NtfsDamage, RecordsOfTheFileSystemTorn) {
  for (const std::uint64_t record : {kMftRecord, kVolumeRecord, kRootRecord, kBitmapRecord}) {
    SCOPED_TRACE(record);
    const std::uint64_t at = boot_.mft_cluster * boot_.cluster_bytes + record * boot_.record_bytes + 510;
    Bytes before(2);
    ASSERT_TRUE(drive_->read(at, before));
    ASSERT_TRUE(drive_->zero(at, 2));
    expect_everything();
    ASSERT_TRUE(drive_->write(at, before));
  }
}

TEST_F(NtfsDamage, OpenJournalIsDirty) {
  const std::uint64_t journal = stream_at(kLogFileRecord);
  Bytes page(4096);
  const std::string_view magic = "RSTR";
  std::copy_n(as_bytes(magic).begin(), 4, page.begin());
  store_le<std::uint32_t>(page, 16, 4096);
  store_le<std::uint16_t>(page, 24, 48);
  store_le<std::uint16_t>(page, 28, 1);
  const auto state_with = [&](std::uint16_t client, std::uint16_t flags, std::uint16_t version) {
    store_le<std::uint16_t>(page, 48 + 12, client);
    store_le<std::uint16_t>(page, 48 + 14, flags);
    store_le<std::uint16_t>(page, 28, version);
    EXPECT_TRUE(drive_->write(journal, page));
    const auto fs = open_file_system(drive_);
    EXPECT_TRUE((*fs)->info().used_map_known) << (*fs)->info().warning;
    return (*fs)->info().state;
  };
  EXPECT_EQ(state_with(0, 0, 1), FsState::dirty);
  EXPECT_EQ(state_with(0, 2, 1), FsState::clean);
  EXPECT_EQ(state_with(0xffff, 0, 1), FsState::clean);
  EXPECT_EQ(state_with(0xffff, 0, 2), FsState::dirty);
}

TEST_F(NtfsDamage, DirtyWithATornRecordSavesEverything) {
  ASSERT_TRUE(drive_->zero(stream_at(kLogFileRecord), 4096));  // neither empty nor a journal: dirty
  EXPECT_EQ((*open_file_system(drive_))->info().state, FsState::dirty);
  EXPECT_TRUE((*open_file_system(drive_))->info().used_map_known);
  ASSERT_TRUE(drive_->zero(boot_.mft_cluster * boot_.cluster_bytes + 9 * boot_.record_bytes + 510, 2));
  expect_everything();
}

}  // namespace
}  // namespace tintype::ntfs
