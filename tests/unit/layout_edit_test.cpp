// SPDX-License-Identifier: GPL-3.0-or-later
// GPT and edits without any tool: what is rendered is read back.
#include "layout/edit.h"
#include "layout/render.h"
#include "layout_fixture.h"

namespace tintype {
namespace {
using namespace test;

constexpr std::uint64_t kSectors = 100000;

Partition wanted(std::uint64_t sectors, std::uint8_t type) {
  Partition partition;
  partition.sector_count = sectors;
  partition.mbr_type = type;
  return partition;
}

void put(Drive& drive, const std::vector<TableSectors>& pieces) {
  for (const TableSectors& piece : pieces)
    ASSERT_TRUE(drive.write(piece.start_sector * drive.info().logical_sector_bytes, piece.bytes));
}

Layout two_partitions(std::uint32_t sector_bytes = 512) {
  SeededRandom random(1);
  Layout layout = make_layout(TableKind::gpt, kSectors, sector_bytes, random).value();
  for (const std::uint8_t type : {std::uint8_t{0x07}, std::uint8_t{0x83}})
    layout = add_partition(layout, wanted(10000, type), {}, random).value().layout;
  return layout;
}

std::shared_ptr<Drive> gpt_drive(std::uint32_t sector_bytes = 512) {
  auto drive = make_memory_drive(kSectors * sector_bytes, sector_bytes);
  put(*drive, render_tables(two_partitions(sector_bytes), kSectors).value());
  return drive;
}

TEST(LayoutGpt, ReadsBackWhatWasRendered) {
  for (const std::uint32_t sector_bytes : {512U, 4096U}) {
    const Layout wanted_layout = two_partitions(sector_bytes);
    const Layout layout = read_ok(*gpt_drive(sector_bytes));
    EXPECT_EQ(layout.partitions, wanted_layout.partitions);
    EXPECT_EQ(layout.kind, TableKind::gpt);
    EXPECT_EQ(layout.disk_guid, wanted_layout.disk_guid);
    EXPECT_EQ(problems(layout), "");
    EXPECT_EQ(detect_sector_bytes(*gpt_drive(sector_bytes)), sector_bytes);
  }
}

TEST(LayoutGpt, BothCopiesGoneIsAProtectivePartition) {
  const auto drive = gpt_drive();
  ASSERT_TRUE(drive->zero(512, 512));
  EXPECT_TRUE(read_ok(*drive).recovered_from_backup);
  ASSERT_TRUE(drive->zero((kSectors - 1) * 512, 512));
  EXPECT_EQ(summary(read_ok(*drive)), "0x1:1+99999:ee");
}

TEST(LayoutGpt, EveryFlippedHeaderByteIsNoticed) {
  for (std::uint64_t at = 512; at < 512 + 92; ++at) {
    const auto drive = gpt_drive();
    std::array<std::byte, 1> byte{};
    ASSERT_TRUE(drive->read(at, byte));
    byte[0] ^= std::byte{0x10};
    ASSERT_TRUE(drive->write(at, byte));
    const Layout layout = read_ok(*drive);
    EXPECT_TRUE(layout.recovered_from_backup) << at;
    EXPECT_EQ(layout.partitions.size(), 2U);
  }
}

TEST(LayoutGpt, LeftoverBehindAnMbrIsIgnored) {
  const auto drive = gpt_drive();
  put_table(*drive, 0, {{0, 0x07, 2048, 5000}});
  EXPECT_EQ(summary(read_ok(*drive)), "0x1:2048+5000:07");
  ASSERT_TRUE(drive->zero(0, 512));
  EXPECT_EQ(read_ok(*drive).kind, TableKind::none);
}

TEST(LayoutGpt, FindsTheBackupOfADriveThatGrew) {
  const Layout layout = two_partitions();
  const auto larger = make_memory_drive(kSectors * 2 * 512);
  put(*larger, render_tables(layout, kSectors).value());
  const Layout grown = read_ok(*larger);
  EXPECT_EQ(problems(grown), "The backup GPT lies at sector 99999, not at the end of the drive (199999).\n");
  put(*larger, render_tables(layout_on_drive(grown, kSectors * 2).value(), kSectors * 2).value());
  EXPECT_EQ(read_ok(*larger).gpt->backup_header_sector, kSectors * 2 - 1);
  EXPECT_EQ(problems(read_ok(*larger)), "");
}

TEST(LayoutEdit, FullMbrRefusesAndLargeWishesAreCounted) {
  SeededRandom random(4);
  Layout layout = make_layout(TableKind::mbr, kSectors, 512, random).value();
  for (int i = 0; i < 4; ++i) layout = add_partition(layout, wanted(4096, 7), {}, random).value().layout;
  const auto fifth = add_partition(layout, wanted(4096, 7), {}, random);
  ASSERT_FALSE(fifth);
  EXPECT_EQ(fifth.error().code, ErrorCode::refused);
  layout = remove_partition(layout, 2).value();
  const auto huge = add_partition(layout, wanted(kSectors, 7), {}, random);
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().code, ErrorCode::no_space);
  EXPECT_NE(huge.error().what.find("100000 sectors"), std::string::npos) << huge.error().what;
  EXPECT_EQ(add_partition(layout, wanted(100, 7), {}, random)->id, 2U);
}

TEST(LayoutEdit, VolumesAreLinkedIntoTheChain) {
  const auto drive = chain_drive();
  const Layout before = read_ok(*drive);
  SeededRandom random(5);
  Placement inside;
  inside.where = Placement::Where::volume;
  Placement exact = inside;
  exact.start_sector = 25000;
  const Layout first = add_partition(before, wanted(1000, 0x83), inside, random).value().layout;
  const Layout second = add_partition(first, wanted(1000, 0x83), exact, random).value().layout;
  put(*drive, render_tables(second, kSectors).value());
  const Layout after = read_ok(*drive);
  EXPECT_EQ(after.partitions, second.partitions);
  EXPECT_EQ(after.find(0x205)->start_sector, 25000U);
  EXPECT_EQ(problems(after), "");
  const Layout less = remove_partition(after, 0x201).value();
  put(*drive, render_tables(less, kSectors).value());
  EXPECT_EQ(read_ok(*drive).partitions, less.partitions);
  EXPECT_EQ(read_ok(*drive).partitions.size(), 6U);
}

TEST(LayoutEdit, TypeAndActiveFlag) {
  const auto drive = chain_drive();
  Layout layout = set_type(read_ok(*drive), 0x202, wanted(0, 0x83)).value();
  EXPECT_EQ(layout.find(0x202)->mbr_type, 0x83);
  EXPECT_FALSE(set_active(layout, 0x202));
  EXPECT_FALSE(set_type(layout, 2, wanted(0, 0x83)));
  layout = set_type(two_partitions(), 2, wanted(0, 0x07)).value();
  EXPECT_EQ(layout.find(2)->type_guid, layout.find(1)->type_guid);
  layout = set_active(layout, 1).value();
  EXPECT_EQ(layout.find(1)->gpt_attributes, 4U);
}

TEST(LayoutEdit, NewSignatureIsAnotherOne) {
  SeededRandom random(6);
  const Layout before = read_ok(*chain_drive());
  const Layout after = new_signature(before, random).value();
  EXPECT_NE(after.mbr_signature, before.mbr_signature);
  EXPECT_NE(after.mbr_signature, 0U);
}

}  // namespace
}  // namespace tintype
