// SPDX-License-Identifier: GPL-3.0-or-later
#include "layout_fixture.h"

namespace tintype {
namespace {
using namespace test;

TEST(LayoutMbr, EmptyAndTinyDrivesHaveNoTable) {
  for (const std::uint64_t size : {0ULL, 100ULL, 512ULL, 1ULL << 20}) {
    const Layout layout = read_ok(*make_memory_drive(size));
    EXPECT_EQ(layout.kind, TableKind::none);
    EXPECT_TRUE(layout.problems.empty() && layout.partitions.empty() && layout.table_sectors.empty());
    EXPECT_EQ(layout.first_track_sectors(), 0U);
    EXPECT_EQ(layout.signature_text(), "");
  }
}

TEST(LayoutMbr, NumbersVolumesInChainOrder) {
  const auto drive = chain_drive();
  const Layout layout = read_ok(*drive);
  EXPECT_EQ(layout.kind, TableKind::mbr);
  EXPECT_EQ(summary(layout), "0x1:2048+6000:07* 0x2:10000+80000:0f 0x201:10063+9000:83 0x202:30063+9000:07 "
                             "0x203:50063+9000:82");
  EXPECT_EQ(problems(layout), "");
  ASSERT_EQ(layout.table_sectors.size(), 4U);
  EXPECT_EQ(layout.table_sectors[2].start_sector, 30000U);
  EXPECT_EQ(layout.find(0x202)->embr_sector, 30000U);
  EXPECT_EQ(layout.find(0x204), nullptr);
  EXPECT_EQ(layout.first_track_sectors(), 2048U);
}

TEST(LayoutMbr, SignatureAndBootCode) {
  const auto drive = chain_drive();
  EXPECT_FALSE(read_ok(*drive).boot_code);
  const std::array signature = {std::byte{0xC3}, std::byte{0xB2}, std::byte{0xA1}, std::byte{0x0D}};
  ASSERT_TRUE(drive->write(440, signature));
  ASSERT_TRUE(drive->write(0, std::array{std::byte{0xFA}}));
  const Layout layout = read_ok(*drive);
  EXPECT_TRUE(layout.boot_code);
  EXPECT_EQ(layout.signature_text(), "0DA1B2C3");
}

TEST(LayoutMbr, LoopKeepsWhatIsSane) {
  const auto drive = chain_drive();
  put_table(*drive, 50000, {{0, 0x82, 63, 9000}, {1, 0x05, 20000, 10000}});
  const Layout layout = read_ok(*drive);
  EXPECT_EQ(layout.partitions.size(), 5U);
  EXPECT_NE(problems(layout).find("loop"), std::string::npos) << problems(layout);
}

TEST(LayoutMbr, ChainThatLeavesTheDrive) {
  const auto drive = chain_drive();
  put_table(*drive, 50000, {{0, 0x82, 63, 9000}, {1, 0x05, 4000000000U, 10000}});
  const Layout layout = read_ok(*drive);
  EXPECT_EQ(layout.partitions.size(), 5U);
  EXPECT_NE(problems(layout).find("leaves the drive at sector 4000010000"), std::string::npos) << problems(layout);
}

TEST(LayoutMbr, ChainCutShort) {
  const auto drive = chain_drive();
  ASSERT_TRUE(drive->zero(30000ULL * 512, 512));
  const Layout layout = read_ok(*drive);
  EXPECT_EQ(layout.partitions.size(), 3U);
  EXPECT_NE(problems(layout).find("no table, 30000"), std::string::npos) << problems(layout);
}

TEST(LayoutMbr, OverlapsAndEndsAreProblems) {
  auto drive = make_memory_drive(100000ULL * 512);
  put_table(*drive, 0, {{0, 0x07, 2048, 6000}, {1, 0x83, 8000, 1000}, {2, 0x83, 90000, 20000}});
  const Layout layout = read_ok(*drive);
  EXPECT_EQ(layout.partitions.size(), 3U);
  EXPECT_EQ(problems(layout), "Partition 0x3 (20000 sectors at 90000) leaves the drive, which has 100000 sectors.\n"
                              "Partitions 0x1 and 0x2 overlap.\n");
  EXPECT_TRUE(layout.partitions[2].leaves_drive);
  EXPECT_FALSE(layout.partitions[1].leaves_drive);
}

TEST(LayoutMbr, VolumeOverlapsPrimary) {
  const auto drive = chain_drive();
  put_table(*drive, 0, {{2, 0x07, 52000, 100}});
  const Layout layout = read_ok(*drive);
  EXPECT_EQ(problems(layout), "Partitions 0x2 and 0x3 overlap.\nPartitions 0x203 and 0x3 overlap.\n");
}

TEST(LayoutMbr, MoreVolumesThanIdsEnds) {
  auto drive = make_memory_drive(2000000ULL * 512);
  put_table(*drive, 0, {{0, 0x05, 1000, 1900000}});
  for (std::uint32_t i = 0; i < 400; ++i)
    put_table(*drive, 1000 + i * 1000, {{0, 0x83, 1, 900}, {1, 0x05, (i + 1) * 1000, 1000}});
  const Layout layout = read_ok(*drive);
  EXPECT_EQ(layout.partitions.size(), 256U);
  EXPECT_EQ(layout.partitions.back().id, 0x1FFU);
  EXPECT_NE(problems(layout).find("more than 255 volumes"), std::string::npos);
}

TEST(LayoutMbr, SectorsOf4096Bytes) {
  auto drive = make_memory_drive(10000ULL * 4096, 4096);
  put_table(*drive, 0, {{0, 0x05, 256, 9000}});
  put_table(*drive, 256, {{0, 0x83, 256, 900}});
  EXPECT_EQ(summary(read_ok(*drive)), "0x1:256+9000:05 0x101:512+900:83");
  EXPECT_EQ(read_ok(*drive).first_track_sectors(), 256U);
}

TEST(LayoutMbr, FileSystemBootSectorIsNoTable) {
  auto drive = make_memory_drive(100000ULL * 512);
  const std::string ntfs = "\xEB\x52\x90NTFS    ";
  ASSERT_TRUE(drive->write(0, as_bytes(ntfs)));
  put_table(*drive, 0, {});
  EXPECT_EQ(read_ok(*drive).kind, TableKind::none);
  // An entry over the boot sector itself, as mkfs.fat --mbr writes it.
  put_table(*drive, 0, {{0, 0x0C, 0, 100000, 0x80}});
  EXPECT_EQ(read_ok(*drive).kind, TableKind::none);
  // The old block under a flawless table: a boot loader kept it.
  put_table(*drive, 0, {{0, 0x0C, 2048, 90000, 0x80}});
  EXPECT_EQ(read_ok(*drive).kind, TableKind::mbr);
  put_table(*drive, 0, {{1, 0x0C, 2048, 90000, 0x80}});
  EXPECT_EQ(read_ok(*drive).kind, TableKind::none);
}

TEST(LayoutMbr, TextWhereTheTableWouldBeIsNoTable) {
  auto drive = make_memory_drive(100000ULL * 512);
  ASSERT_TRUE(drive->write(400, as_bytes(std::string(100, 'x'))));
  put_table(*drive, 0, {});
  EXPECT_EQ(read_ok(*drive).kind, TableKind::none);
}

TEST(LayoutMbr, ProtectiveEntryWithoutGptCoversEverything) {
  auto drive = make_memory_drive(100000ULL * 512);
  put_table(*drive, 0, {{0, 0xEE, 1, 99999}});
  const Layout layout = read_ok(*drive);
  EXPECT_EQ(layout.kind, TableKind::mbr);
  EXPECT_EQ(summary(layout), "0x1:1+99999:ee");
  EXPECT_NE(problems(layout).find("announces a GPT"), std::string::npos) << problems(layout);
}

}  // namespace
}  // namespace tintype
