// SPDX-License-Identifier: GPL-3.0-or-later
// What a list of hits says where a drive lacks more than the files themselves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "job/damage_owners.h"
#include "support/fat_image.h"

namespace tintype::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DamageOwners : public testing::Test {
 protected:
  DamageOwners() {
    fat_.add_root_entry("ONE     TXT", 0x20, 40, 1024);
    fat_.chain({40, 41});
  }

  // Sectors before the first cluster: the root directory is the last of them.
  Extent tables() const { return {512, fat_.extent_of(2).start - FatImage::kRootEntries * 32 - 512}; }

  Hits hits_of(const std::vector<PartitionDamage>& damage) {
    auto drive = make_memory_drive(fat_.bytes().size());
    EXPECT_TRUE(drive->write(0, fat_.bytes()));
    return owners_of_damage(drive, damage, cancel_);
  }
  PartitionDamage damage(std::vector<Extent> bytes, std::string name = "p") {
    return {std::move(name), {0, fat_.bytes().size()}, ExtentSet(std::move(bytes))};
  }

  FatImage fat_;
  CancelToken cancel_;
};

TEST_F(DamageOwners, FilesAndFreeSpace) {
  EXPECT_THAT(hits_of({damage({fat_.extent_of(41), fat_.extent_of(60)})}).lines(), ElementsAre("p: /ONE.TXT, 512 B", "p: free space, 512 B"));
}

// Salvage leaves zeros where the FAT is lost, and zeros there mean that all is free.
TEST_F(DamageOwners, LostTablesDoNotMakeFilesFreeSpace) {
  const Extent lost = tables();
  std::fill_n(fat_.bytes().begin() + static_cast<std::ptrdiff_t>(lost.start), lost.length, std::byte{0});
  const Hits hits = hits_of({damage({lost, fat_.extent_of(41)})});
  for (const Hit& hit : hits.listed) EXPECT_NE(hit.kind, Hit::Kind::free_space) << hit.line();
  EXPECT_THAT(hits.lines(), ElementsAre(HasSubstr("cannot be told")));
}

TEST_F(DamageOwners, FreeSpaceThatPerhapsWasNeverSavedIsNotTold) {
  PartitionDamage damaged = damage({});
  damaged.doubtful = ExtentSet({fat_.extent_of(41), fat_.extent_of(60)});
  EXPECT_THAT(hits_of({damaged}).lines(), ElementsAre("p: /ONE.TXT, 512 B"));
}

TEST_F(DamageOwners, StructuresOfEveryPartitionComeFirst) {
  const auto lines = hits_of({damage({fat_.extent_of(41)}, "a"), damage({{tables().start, 512}}, "b")}).lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0], HasSubstr("b: "));
  EXPECT_EQ(lines[1], "a: /ONE.TXT, 512 B");
}

TEST_F(DamageOwners, WhatIsNotListedIsCounted) {
  std::vector<PartitionDamage> many(kMostHits + 37, damage({fat_.extent_of(41)}));
  const Hits hits = hits_of(many);
  EXPECT_EQ(hits.count, kMostHits + 37);
  EXPECT_EQ(hits.lines().size(), kMostHits + 1);
  EXPECT_EQ(hits.lines().back(), "and 37 more");
}

TEST_F(DamageOwners, ReasonsWhyFilesCannotBeTold) {
  PartitionDamage outside = damage({{0, 512}});
  outside.range.length += 512;
  EXPECT_THAT(hits_of({outside}).lines(), ElementsAre(HasSubstr("it leaves the drive")));
  EXPECT_THAT(hits_of({damage({{0, 512}})}).lines(), ElementsAre(HasSubstr("cannot be told")));  // the boot sector is gone
  PartitionDamage many = damage({fat_.extent_of(41)});
  many.unlisted_bytes = 4096;
  EXPECT_THAT(hits_of({many}).lines(), ElementsAre(HasSubstr("4.00 KiB of damage hit cannot be told"), "p: /ONE.TXT, 512 B"));
  cancel_.cancel();
  EXPECT_THAT(hits_of({damage({fat_.extent_of(41)})}).lines(), ElementsAre(HasSubstr("cancelled")));
}

TEST(AddDamage, KeepsAThousandRangesAndTheSumOfTheOthers) {
  Area area;
  area.start_byte = 4096;
  area.size_bytes = 1 << 20;
  std::vector<PartitionDamage> damage;
  area.kind = AreaKind::first_track;
  add_damage(damage, area, {}, {0, 512});
  EXPECT_TRUE(damage.empty());
  area.kind = AreaKind::partition;
  for (std::uint64_t i = 0; i < 1003; ++i) add_damage(damage, area, {}, {i * 1024, 100});
  ASSERT_EQ(damage.size(), 1U);
  EXPECT_EQ(damage[0].range, (Extent{4096, 1 << 20}));
  EXPECT_EQ(damage[0].bytes.total_bytes(), 100'000U);
  EXPECT_EQ(damage[0].unlisted_bytes, 300U);
}

}  // namespace
}  // namespace tintype::test
