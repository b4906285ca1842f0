// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <algorithm>

#include "layout/edit.h"
#include "layout/render.h"
#include "plan/restore_plan.h"

namespace tintype {
namespace {

constexpr std::uint64_t kMiB = 1U << 20;

Layout read_back(const Layout& layout) {
  const auto tables = render_tables(layout, layout.drive_sectors);
  EXPECT_TRUE(tables) << tables.error().message();
  return *layout_from_sectors(*tables, layout.drive_sectors, layout.sector_bytes);
}

Partition of_type(std::uint8_t type) {
  Partition partition;
  partition.mbr_type = type;
  return partition;
}

// A drive of 64 MiB with partitions of 10 and 20 MiB, the second inside an extended one if there are such.
Layout drive(TableKind kind, std::uint32_t sector = 512, std::uint64_t size = 64 * kMiB) {
  SeededRandom random(1);
  Layout layout = *make_layout(kind, size / sector, sector, random);
  Partition wanted = of_type(0x07);
  wanted.sector_count = 10 * kMiB / sector;
  layout = add_partition(layout, wanted, {}, random)->layout;
  if (kind == TableKind::mbr) {
    Partition extended = of_type(0x0F);
    extended.extended = true;
    extended.sector_count = 30 * kMiB / sector;
    layout = add_partition(layout, extended, {}, random)->layout;
  }
  wanted.sector_count = 20 * kMiB / sector;
  Placement placement;
  if (kind == TableKind::mbr) placement.where = Placement::Where::volume;
  layout = add_partition(layout, wanted, placement, random)->layout;
  return read_back(layout);
}

Area area_of(const Layout& layout, const Partition& partition, FsType type) {
  Area area;
  area.partition = partition.id;
  area.start_byte = partition.start_sector * layout.sector_bytes;
  area.size_bytes = partition.sector_count * layout.sector_bytes;
  area.fs.type = type;
  area.fs.file_system_bytes = area.size_bytes;
  area.used_bytes = area.size_bytes / 2;
  return area;
}

Catalog image_of(const Layout& layout, FsType type = FsType::ntfs) {
  Catalog image;
  image.layout = layout;
  image.source.size_bytes = layout.drive_sectors * layout.sector_bytes;
  image.source.logical_sector_bytes = layout.sector_bytes;
  Area first;
  first.kind = AreaKind::first_track;
  first.size_bytes = layout.first_track_sectors() * layout.sector_bytes;
  if (first.size_bytes != 0) image.areas.push_back(first);
  for (const Partition& partition : layout.partitions)
    if (!partition.extended) image.areas.push_back(area_of(layout, partition, type));
  return image;
}

// A drive without a table, saved as a whole.
Catalog image_of_bare_drive(std::uint64_t bytes, FsType type) {
  Catalog image;
  image.source.size_bytes = bytes;
  image.layout.drive_sectors = bytes / 512;
  Area area;
  area.kind = AreaKind::drive;
  area.size_bytes = bytes;
  area.fs.type = type;
  image.areas.push_back(area);
  return image;
}

DriveInfo target_of(const Layout& layout) {
  DriveInfo info;
  info.path = "target";
  info.size_bytes = layout.drive_sectors * layout.sector_bytes;
  info.logical_sector_bytes = layout.sector_bytes;
  return info;
}

Layout bare(std::uint64_t bytes, std::uint32_t sector = 512) {
  Layout layout;
  layout.sector_bytes = sector;
  layout.drive_sectors = bytes / sector;
  return layout;
}

Result<RestorePlan> plan(const Catalog& image, const Layout& target, const RestoreOptions& options = {}, const TargetWords& words = {}) {
  SeededRandom random(9);
  return plan_restore(image, target_of(target), target, options, words, random);
}

RestoreOptions one(std::uint32_t id, RestoreOptions::Where where, std::uint32_t target = 0) {
  RestoreOptions options;
  options.partition = id;
  options.where = where;
  options.target_partition = target;
  return options;
}
using Where = RestoreOptions::Where;

// The tables that stand on the target once the plan is carried out.
Layout after(const RestorePlan& plan, const Layout& target) {
  auto memory = make_memory_drive(target.drive_sectors * target.sector_bytes, target.sector_bytes);
  for (const TableSectors& table : target.table_sectors) EXPECT_TRUE(memory->write(table.start_sector * target.sector_bytes, table.bytes));
  for (const Extent& wipe : plan.wipe_first) EXPECT_TRUE(memory->zero(wipe.start, wipe.length));
  for (const TableWrite& write : plan.write_last) EXPECT_TRUE(memory->write(write.target_byte, write.bytes));
  return *read_layout(*memory);
}

// What must hold of every plan.
void expect_sane(const RestorePlan& plan, const Layout& target) {
  const std::uint64_t size = target.drive_sectors * target.sector_bytes;
  EXPECT_LE(plan.touched.end(), size);
  const auto covered = [&](Extent extent) { return plan.touched.clipped(extent).total_bytes() == extent.length; };
  for (const Extent& wipe : plan.wipe_first) EXPECT_TRUE(covered(wipe));
  for (const TableWrite& write : plan.write_last) EXPECT_TRUE(covered({write.target_byte, write.bytes.size()}));
  for (const CopyStep& copy : plan.copies) {
    EXPECT_LE(copy.skip_bytes, copy.limit_bytes);
    EXPECT_TRUE(covered({copy.target_byte, copy.limit_bytes}));
  }
  if (!plan.write_last.empty()) {
    EXPECT_EQ(plan.write_last.back().target_byte, 0U);
  }
  for (std::size_t i = 0; i + 1 < plan.write_last.size(); ++i) EXPECT_NE(plan.write_last[i].target_byte, 0U);
}

struct Combination {
  TableKind kind;
  std::uint32_t sector;
};

class WholeDrive : public ::testing::TestWithParam<Combination> {};

TEST_P(WholeDrive, KeepsTheLayoutOnTheSameAndOnALargerTarget) {
  const auto [kind, sector] = GetParam();
  const Layout source = drive(kind, sector);
  for (const std::uint64_t size : {64 * kMiB, 65 * kMiB, 640 * kMiB}) {
    const Layout target = bare(size, sector);
    const auto made = plan(image_of(source), target);
    ASSERT_TRUE(made) << made.error().message();
    expect_sane(*made, target);
    const Layout now = after(*made, target);
    EXPECT_TRUE(now.problems.empty()) << now.problems.front();
    EXPECT_EQ(now.partitions, source.partitions);
    EXPECT_EQ(now.signature_text(), source.signature_text());
  }
}

TEST_P(WholeDrive, FitsOnASmallerTargetOrNamesBothNumbers) {
  const auto [kind, sector] = GetParam();
  const Layout source = drive(kind, sector);
  const Layout fits = bare(50 * kMiB, sector);
  const auto made = plan(image_of(source), fits);
  ASSERT_TRUE(made) << made.error().message();
  expect_sane(*made, fits);
  EXPECT_EQ(after(*made, fits).partitions, source.partitions);
  const auto failed = plan(image_of(source), bare(30 * kMiB, sector));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::no_space);
  EXPECT_NE(failed.error().message().find(std::to_string(30 * kMiB / sector)), std::string::npos);
}

TEST_P(WholeDrive, TheFirstTrackLosesNothingButTheTables) {
  const auto [kind, sector] = GetParam();
  const Layout source = drive(kind, sector);
  const auto made = plan(image_of(source), bare(64 * kMiB, sector));
  ASSERT_TRUE(made);
  ASSERT_EQ(made->copies.front().target_byte, 0U);
  ExtentSet written({{made->copies.front().skip_bytes, made->copies.front().limit_bytes - made->copies.front().skip_bytes}});
  for (const TableWrite& write : made->write_last) written.add({write.target_byte, write.bytes.size()});
  EXPECT_EQ(written.clipped({0, kMiB}).total_bytes(), kMiB);
}

TEST_P(WholeDrive, NoOlderTableSurvives) {
  const auto [kind, sector] = GetParam();
  for (const TableKind older : {TableKind::mbr, TableKind::gpt}) {
    const Layout target = drive(older, sector, 80 * kMiB);
    const auto made = plan(image_of(drive(kind, sector)), target, {}, {{1, "NTFS \"Old\""}});
    ASSERT_TRUE(made);
    ExtentSet wiped(made->wipe_first);
    for (const TableSectors& table : target.table_sectors) {
      const Extent extent{table.start_sector * sector, table.bytes.size()};
      EXPECT_EQ(wiped.clipped(extent).total_bytes(), extent.length) << table.start_sector;
    }
    EXPECT_NE(std::ranges::find(made->lost, "target@" + target.partitions[0].id_text(older) + ": NTFS \"Old\""), made->lost.end());
    EXPECT_EQ(made->lost.size(), 3U);  // two partitions and the table
  }
}

TEST_P(WholeDrive, NoOlderFileSystemOrRaidMemberSurvivesInAPartition) {
  const auto [kind, sector] = GetParam();
  const Catalog image = image_of(drive(kind, sector));
  const auto made = plan(image, bare(64 * kMiB, sector));
  ASSERT_TRUE(made);
  const ExtentSet wiped(made->wipe_first);
  for (const Area& area : image.areas) {
    if (area.kind != AreaKind::partition) continue;
    EXPECT_TRUE(wiped.contains(area.start_byte + 64 * 1024));                     // btrfs, ReiserFS
    EXPECT_TRUE(wiped.contains(area.start_byte + area.size_bytes - 8 * 1024));    // RAID 1.0
    EXPECT_TRUE(wiped.contains(area.start_byte + area.size_bytes - 128 * 1024));  // RAID 0.90
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, WholeDrive,
                         ::testing::Values(Combination{TableKind::mbr, 512}, Combination{TableKind::mbr, 4096},
                                           Combination{TableKind::gpt, 512}, Combination{TableKind::gpt, 4096}));

TEST(Plan, APartitionRightBehindTheTableIsRestored) {
  SeededRandom random(1);
  Layout source = *make_layout(TableKind::mbr, 8192, 512, random);
  Partition wanted = of_type(0x83);
  wanted.sector_count = 8191;
  Placement placement;
  placement.start_sector = 1;
  source = read_back(add_partition(source, wanted, placement, random)->layout);
  const auto made = plan(image_of(source), bare(8192 * 512));
  ASSERT_TRUE(made) << made.error().message();
  ASSERT_EQ(made->copies.size(), 2U);
  EXPECT_EQ(made->copies[1].target_byte, 512U);
  EXPECT_EQ(made->copies[1].skip_bytes, 0U);
}

TEST(Plan, AHybridDriveStaysOne) {
  Layout source = drive(TableKind::gpt);
  source.partitions[0].mbr_slot = 2;
  source.partitions[0].mbr_type = 0x07;
  source = read_back(source);
  ASSERT_EQ(source.kind, TableKind::hybrid);
  const Layout target = bare(80 * kMiB);
  const auto made = plan(image_of(source), target);
  ASSERT_TRUE(made) << made.error().message();
  const Layout now = after(*made, target);
  EXPECT_EQ(now.kind, TableKind::hybrid);
  EXPECT_EQ(now.partitions, source.partitions);
}

TEST(Plan, ADriveWithoutATableGoesBackAsAWhole) {
  const Catalog image = image_of_bare_drive(10 * kMiB + 100, FsType::ext4);
  const auto failed = plan(image, bare(10 * kMiB));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::no_space);
  const Layout target = drive(TableKind::gpt);
  const auto made = plan(image, target);
  ASSERT_TRUE(made);
  expect_sane(*made, target);
  ASSERT_EQ(made->copies.size(), 1U);
  EXPECT_TRUE(made->copies[0].head_last);
  EXPECT_TRUE(made->write_last.empty());
  EXPECT_EQ(after(*made, target).kind, TableKind::none);
}

TEST(Plan, AnImageOfSomePartitionsIsNoWholeDrive) {
  Catalog image = image_of(drive(TableKind::mbr));
  image.areas.pop_back();
  const auto failed = plan(image, bare(64 * kMiB));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::usage);
  image.areas.clear();
  image.layout = bare(64 * kMiB);
  EXPECT_FALSE(plan(image, bare(64 * kMiB)));
}

TEST(Plan, AnAreaElsewhereThanItsTableSaysIsDamage) {
  Catalog image = image_of(drive(TableKind::mbr));
  image.areas.back().start_byte -= 512;
  const auto failed = plan(image, bare(64 * kMiB));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::corrupt);
}

TEST(Plan, OtherSectorSizesAreRefused) {
  const auto failed = plan(image_of(drive(TableKind::gpt, 4096)), bare(64 * kMiB, 512));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::unsupported);
}

// ---- one partition ----

TEST(PlanOne, TouchesNothingButTheChosenPartition) {
  for (const TableKind kind : {TableKind::mbr, TableKind::gpt}) {
    const Layout target = drive(kind);
    const std::uint32_t id = target.partitions.back().id;
    const auto made = plan(image_of(drive(TableKind::mbr)), target, one(1, Where::partition, id), {{id, "ext4 \"data\""}});
    ASSERT_TRUE(made) << made.error().message();
    expect_sane(*made, target);
    const Partition& place = *target.find(id);
    ExtentSet outside = made->touched;
    outside.remove({place.start_sector * 512, place.sector_count * 512});
    for (const TableSectors& table : target.table_sectors) outside.remove({table.start_sector * 512, table.bytes.size()});
    EXPECT_TRUE(outside.empty());
    for (const Extent& wipe : made->wipe_first) {
      EXPECT_GE(wipe.start, place.start_sector * 512);
      EXPECT_LE(wipe.end(), place.end_sector() * 512);
    }
    ASSERT_EQ(made->lost.size(), 1U);
    EXPECT_EQ(made->lost[0], "target@" + place.id_text(kind) + ": ext4 \"data\"");
    EXPECT_EQ(after(*made, target).partitions.size(), target.partitions.size());
  }
}

TEST(PlanOne, TheEntryGetsTheTypeInWhicheverTable) {
  for (const TableKind from : {TableKind::mbr, TableKind::gpt}) {
    for (const TableKind to : {TableKind::mbr, TableKind::gpt}) {
      SeededRandom random(3);
      Layout target = *make_layout(to, 64 * kMiB / 512, 512, random);
      Partition wanted = of_type(0x83);
      wanted.sector_count = 12 * kMiB / 512;
      target = read_back(add_partition(target, wanted, {}, random)->layout);
      const auto made = plan(image_of(drive(from)), target, one(1, Where::partition, 1));
      ASSERT_TRUE(made) << made.error().message();
      const Layout now = after(*made, target);
      const Layout ntfs = drive(to);
      EXPECT_EQ(now.partitions[0].mbr_type, ntfs.partitions[0].mbr_type);
      EXPECT_EQ(now.partitions[0].type_guid, ntfs.partitions[0].type_guid);
      EXPECT_EQ(now.partitions[0].start_sector, target.partitions[0].start_sector);
    }
  }
}

TEST(PlanOne, ASmallerPartitionIsRefusedWithNumbers) {
  const Layout layout = drive(TableKind::gpt);
  const auto failed = plan(image_of(layout), layout, one(2, Where::partition, 1));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::no_space);
  EXPECT_NE(failed.error().message().find(std::to_string(20 * kMiB)), std::string::npos);
  EXPECT_EQ(plan(image_of(layout), layout, one(9, Where::partition, 1)).error().code, ErrorCode::not_found);
  EXPECT_EQ(plan(image_of(layout), layout, one(1, Where::partition, 9)).error().code, ErrorCode::not_found);
}

TEST(PlanOne, TheOldPlaceIsFoundMadeOrRefused) {
  const Layout layout = drive(TableKind::mbr);
  const std::uint32_t volume = layout.partitions.back().id;
  const auto found = plan(image_of(layout), layout, one(volume, Where::old_place));
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_TRUE(found->write_last.empty());
  EXPECT_TRUE(found->fixes.empty());
  EXPECT_EQ(found->lost.size(), 1U);

  const Layout without = read_back(*remove_partition(layout, volume));
  const auto made = plan(image_of(layout), without, one(volume, Where::old_place));
  ASSERT_TRUE(made) << made.error().message();
  expect_sane(*made, without);
  EXPECT_TRUE(made->lost.empty());
  const Layout now = after(*made, without);
  ASSERT_NE(now.find(volume), nullptr);
  EXPECT_EQ(now.find(volume)->start_sector, layout.find(volume)->start_sector);
  EXPECT_EQ(now.find(volume)->sector_count, layout.find(volume)->sector_count);

  const Layout other = drive(TableKind::gpt);
  const auto taken = plan(image_of(layout), other, one(volume, Where::old_place));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::refused);
}

TEST(PlanOne, FreeSpaceOutsideAndInsideAnExtendedPartition) {
  const Layout target = drive(TableKind::mbr, 512, 300 * kMiB);
  const auto outside = plan(image_of(target), target, one(1, Where::free_space));
  ASSERT_TRUE(outside) << outside.error().message();
  expect_sane(*outside, target);
  Layout now = after(*outside, target);
  EXPECT_TRUE(now.problems.empty());
  EXPECT_EQ(now.partitions.size(), 4U);

  SeededRandom random(4);
  Layout full = *make_layout(TableKind::mbr, 200 * kMiB / 512, 512, random);
  for (int i = 0; i < 3; ++i) {
    Partition primary = of_type(0x83);
    primary.sector_count = 10 * kMiB / 512;
    full = add_partition(full, primary, {}, random)->layout;
  }
  Partition extended = of_type(0x0F);
  extended.extended = true;
  full = add_partition(full, extended, {}, random)->layout;
  full = read_back(full);
  for (int i = 1; i <= 3; ++i) {
    const auto inside = plan(image_of(drive(TableKind::mbr)), full, one(1, Where::free_space));
    ASSERT_TRUE(inside) << inside.error().message();
    expect_sane(*inside, full);
    const ExtentSet wiped(inside->wipe_first);
    for (const Partition& partition : full.partitions)
      if (!partition.extended) {
        EXPECT_TRUE(wiped.clipped({partition.start_sector * 512, partition.sector_count * 512}).empty());
      }
    full = after(*inside, full);
    EXPECT_TRUE(full.problems.empty());
    ASSERT_EQ(full.partitions.size(), 4U + static_cast<unsigned>(i));
    const Partition& volume = full.partitions.back();
    ASSERT_EQ(inside->fixes.size(), 1U);
    EXPECT_EQ(inside->fixes[0].value, volume.start_sector - volume.embr_sector);
  }
}

TEST(PlanOne, ADamagedTableTellsNoFreeSpace) {
  SeededRandom random(4);
  Layout target = drive(TableKind::mbr, 512, 300 * kMiB);
  auto memory = make_memory_drive(300 * kMiB);
  for (const TableSectors& table : target.table_sectors) ASSERT_TRUE(memory->write(table.start_sector * 512, table.bytes));
  ASSERT_TRUE(memory->zero(target.partitions[1].start_sector * 512, 512));  // the chain is lost
  target = *read_layout(*memory);
  ASSERT_FALSE(target.problems.empty());
  const auto failed = plan(image_of(drive(TableKind::mbr)), target, one(1, Where::free_space));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::refused);
  EXPECT_TRUE(plan(image_of(drive(TableKind::mbr)), target, one(1, Where::partition, 1)));
}

TEST(PlanOne, ACutOffTableIsNotAddedTo) {
  for (const TableKind kind : {TableKind::mbr, TableKind::gpt}) {
    Layout target = drive(kind, 512, 300 * kMiB);
    target = *layout_from_sectors(target.table_sectors, 300 * kMiB / 512, 512);
    target.partitions.back().sector_count = 400 * kMiB / 512;
    target.partitions.back().leaves_drive = true;
    target.problems.push_back("Partition 2 leaves the drive.");
    const auto failed = plan(image_of(drive(kind)), target, one(1, Where::free_space));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::refused);
  }
}

TEST(PlanOne, OverlappedNeighboursAreNamedAsLost) {
  Layout target = drive(TableKind::gpt);
  target.partitions[1].start_sector = target.partitions[0].start_sector + 100;
  const auto made = plan(image_of(drive(TableKind::gpt)), target, one(1, Where::partition, 1));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->lost.size(), 2U);
}

TEST(PlanOne, APartitionOverTheTableIsRefused) {
  Layout target = drive(TableKind::gpt);
  target.partitions[0].sector_count += target.partitions[0].start_sector - 1;
  target.partitions[0].start_sector = 1;
  const auto failed = plan(image_of(drive(TableKind::gpt)), target, one(1, Where::partition, 1));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::refused);
}

TEST(PlanOne, OntoABareDrive) {
  const Layout target = bare(64 * kMiB);
  const auto made = plan(image_of(drive(TableKind::mbr)), target, one(1, Where::partition, 0));
  ASSERT_TRUE(made) << made.error().message();
  expect_sane(*made, target);
  EXPECT_EQ(made->copies.at(0).target_byte, 0U);
  EXPECT_TRUE(made->write_last.empty());
  ASSERT_EQ(made->fixes.size(), 1U);
  EXPECT_EQ(made->fixes[0].value, 0U);

  const auto table = plan(image_of(drive(TableKind::mbr)), target, one(1, Where::old_place));
  ASSERT_TRUE(table) << table.error().message();
  EXPECT_EQ(after(*table, target).partitions.size(), 1U);
  const auto held = plan(image_of(drive(TableKind::mbr)), target, one(1, Where::old_place), {{0, "ext4 \"home\""}});
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code, ErrorCode::refused);
}

TEST(PlanOne, ABareDriveGoesIntoAPartitionOrFreeSpace) {
  const Catalog image = image_of_bare_drive(9 * kMiB + 100, FsType::fat32);
  for (const TableKind kind : {TableKind::mbr, TableKind::gpt}) {
    const Layout target = drive(kind);
    const auto inside = plan(image, target, one(0, Where::partition, 1));
    ASSERT_TRUE(inside) << inside.error().message();
    expect_sane(*inside, target);
    ASSERT_EQ(inside->fixes.size(), 1U);
    EXPECT_EQ(inside->fixes[0].value, target.partitions[0].start_sector);
    const auto added = plan(image, target, one(0, Where::free_space));
    ASSERT_TRUE(added) << added.error().message();
    const Layout now = after(*added, target);
    EXPECT_EQ(now.partitions.size(), target.partitions.size() + 1);
    const auto fresh = std::ranges::find_if(now.partitions, [&](const Partition& p) {
      return std::ranges::none_of(target.partitions, [&](const Partition& q) { return q.start_sector == p.start_sector; });
    });
    ASSERT_NE(fresh, now.partitions.end());
    EXPECT_EQ(fresh->sector_count, 9 * kMiB / 512 + 1);
    if (kind == TableKind::mbr) {
      EXPECT_EQ(fresh->mbr_type, 0x0C);
    }
  }
}

TEST(PlanOne, TheFirstTrackSparesTablesAndPartitions) {
  for (const std::uint32_t sector : {512U, 4096U}) {
    for (const TableKind from : {TableKind::mbr, TableKind::gpt}) {
      for (const TableKind to : {TableKind::mbr, TableKind::gpt}) {
        Layout target = drive(to, sector);
        if (target.gpt) {  // twice as many entries as usual
          target.gpt->entry_count = 256;
          target.gpt->first_usable_sector = 2 + 32768 / sector * 2;
        }
        RestoreOptions options = one(1, Where::partition, 1);
        options.first_track_sectors = 0;
        const auto made = plan(image_of(drive(from, sector)), target, options);
        ASSERT_TRUE(made) << made.error().message();
        ASSERT_EQ(made->copies.size(), 2U);
        const CopyStep& track = made->copies[1];
        EXPECT_GE(track.skip_bytes, target.gpt ? 2 * sector + 32768 : sector);
        EXPECT_GE(track.skip_bytes, from == TableKind::gpt ? 2 * sector + 16384 : sector);
        if (sector == 4096 && to == TableKind::mbr && from == TableKind::gpt) {
          EXPECT_EQ(track.skip_bytes, 6U * 4096);
        }
        EXPECT_EQ(track.limit_bytes, kMiB);
      }
    }
  }
}

}  // namespace
}  // namespace tintype
