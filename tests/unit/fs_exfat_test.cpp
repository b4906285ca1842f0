// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fs/filesystem.h"
#include "support/exfat_image.h"

namespace tintype::test {
namespace {

using ::testing::HasSubstr;

struct Seen {
  FsInfo info;
  ExtentSet map;
  bool holds(const Extent& extent) const { return map.clipped(extent).total_bytes() == extent.length; }
  bool everything(const Bytes& bytes) const { return !info.used_map_known && map.total_bytes() == bytes.size(); }
};

Seen look_at(const Bytes& bytes) {
  auto drive = make_memory_drive(bytes.size());
  EXPECT_TRUE(drive->write(0, bytes));
  const auto fs = open_file_system(drive);
  EXPECT_TRUE(fs);
  auto stream = (*fs)->used_map();
  return {(*fs)->info(), collect(**stream).value()};
}

TEST(Exfat, ReadsFactsAndMap) {
  ExfatImage image;
  image.add_file("chained.bin", 9000, {40, 30, 35}, 'c');
  const Seen seen = look_at(image.finish());
  EXPECT_EQ(seen.info.type, FsType::exfat);
  EXPECT_EQ(seen.info.state, FsState::clean);
  EXPECT_EQ(seen.info.label, "BUILT");
  EXPECT_EQ(seen.info.serial, "1234-ABCD");
  EXPECT_EQ(seen.info.cluster_bytes, 4096U);
  EXPECT_EQ(seen.info.used_bytes, 6 * 4096U);  // bitmap, up-case table, root, three of the file
  EXPECT_EQ(seen.info.free_bytes, 494 * 4096U);
  EXPECT_TRUE(seen.info.used_map_known) << seen.info.warning;
  EXPECT_EQ(seen.info.warning, "");
  ExtentSet expected({{0, image.extent_of(2).start}});
  for (const std::uint32_t cluster : {2U, 3U, 4U, 30U, 35U, 40U}) expected.add(image.extent_of(cluster));
  EXPECT_EQ(seen.map, expected);
  EXPECT_EQ(seen.info.last_used_byte, image.extent_of(40).end());
}

TEST(Exfat, TheLastClusterCounts) {
  ExfatImage image({.clusters = 501});  // the last one alone in the bitmap's last byte but four
  image.set_bit(502, true);
  const Seen seen = look_at(image.finish());
  EXPECT_TRUE(seen.holds(image.extent_of(502)));
  EXPECT_FALSE(seen.holds(image.extent_of(501)));
  EXPECT_EQ(seen.info.last_used_byte, image.bytes().size());
}

// Whole bytes of zeros and ones are skipped at once; nothing beside them may be.
TEST(Exfat, RunsAtByteBorders) {
  ExfatImage image;
  ExtentSet expected({{0, image.extent_of(2).start}});
  for (const std::uint32_t cluster : {2U, 3U, 4U}) expected.add(image.extent_of(cluster));
  for (const std::uint32_t bit : {80U, 95U, 104U, 105U, 106U, 107U, 108U, 109U, 110U, 111U, 120U, 121U, 122U, 123U, 124U, 125U, 126U,
                                  127U, 128U}) {
    image.set_bit(bit + 2, true);
    expected.add(image.extent_of(bit + 2));
  }
  EXPECT_EQ(look_at(image.finish()).map, expected);
}

TEST(Exfat, ADirtyVolumesBitmapIsNotTrusted) {
  ExfatImage image({.volume_flags = 2});
  image.add_file("late.bin", 4096, {50}, 'x');
  image.set_bit(50, false);  // the entry is on the drive already, the bitmap is not
  const Seen seen = look_at(image.finish());
  EXPECT_EQ(seen.info.state, FsState::dirty);
  EXPECT_TRUE(seen.everything(image.bytes()));
  EXPECT_THAT(seen.info.warning, HasSubstr("not unmounted"));
  EXPECT_EQ(seen.info.label, "BUILT");
}

TEST(Exfat, MediaFailureIsDirtyButItsBitmapHolds) {
  ExfatImage image({.volume_flags = 4});
  const Seen seen = look_at(image.finish());
  EXPECT_EQ(seen.info.state, FsState::dirty);
  EXPECT_TRUE(seen.info.used_map_known) << seen.info.warning;
}

TEST(Exfat, TexfatSavesWhatEitherBitmapCallsUsed) {
  for (const std::uint16_t active : {std::uint16_t{0}, std::uint16_t{1}}) {
    SCOPED_TRACE(active);
    ExfatImage image({.bitmaps = 2, .volume_flags = active});
    image.set_bit(60, true, 0);
    image.set_bit(70, true, 1);
    image.set_bit(71, true, 1);
    const Seen seen = look_at(image.finish());
    ASSERT_TRUE(seen.info.used_map_known) << seen.info.warning;
    for (const std::uint32_t cluster : {60U, 70U, 71U}) EXPECT_TRUE(seen.holds(image.extent_of(cluster))) << cluster;
    EXPECT_FALSE(seen.holds(image.extent_of(61)));
    EXPECT_EQ(seen.info.used_bytes, (4 + (active == 0 ? 1U : 2U)) * 4096) << "counted by the active bitmap";
  }
}

TEST(Exfat, EverythingIfTheBitmapMissesItself) {
  for (const std::uint32_t cluster : {2U, 3U, 4U}) {  // bitmap, up-case table, root
    SCOPED_TRACE(cluster);
    ExfatImage image;
    image.set_bit(cluster, false);
    const Seen seen = look_at(image.finish());
    EXPECT_TRUE(seen.everything(image.bytes()));
    EXPECT_THAT(seen.info.warning, HasSubstr("certainly in use"));
  }
}

TEST(Exfat, EverythingIfDamaged) {
  ExfatImage checksum;
  checksum.finish()[600] ^= std::byte{1};
  EXPECT_TRUE(look_at(checksum.bytes()).everything(checksum.bytes()));

  ExfatImage loop;
  loop.link(loop.root_cluster(), loop.root_cluster());
  EXPECT_TRUE(look_at(loop.finish()).everything(loop.bytes()));

  ExfatImage size;
  size.finish();
  store_le<std::uint64_t>(size.bytes(), size.extent_of(size.root_cluster()).start + 32 + 24, 62);  // of 500 clusters: 63
  EXPECT_TRUE(look_at(size.bytes()).everything(size.bytes()));

  ExfatImage cut;
  cut.finish().resize(cut.bytes().size() - ExfatImage::kSectorBytes);
  EXPECT_TRUE(look_at(cut.bytes()).everything(cut.bytes()));
}

TEST(Exfat, WhatLiesBehindIsSaved) {
  ExfatImage image;
  const std::uint64_t end = image.finish().size();
  image.bytes().resize(end + 1024);
  const Seen seen = look_at(image.bytes());
  EXPECT_TRUE(seen.holds({end, 1024}));
  EXPECT_EQ(seen.info.file_system_bytes, end);
}

}  // namespace
}  // namespace tintype::test
