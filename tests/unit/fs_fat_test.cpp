// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fs/filesystem.h"
#include "support/fat_image.h"

namespace tintype::test {
namespace {

using ::testing::HasSubstr;

constexpr std::uint8_t kArchive = 0x20, kLabel = 0x08, kLongName = 0x0F;

struct Seen {
  FsInfo info;
  ExtentSet map;
  std::vector<LeftOutFile> left_out;
  bool holds(const Extent& extent) const { return map.clipped(extent).total_bytes() == extent.length; }
  bool everything(const Bytes& bytes) const { return !info.used_map_known && map.total_bytes() == bytes.size(); }
};

Seen look_at(const Bytes& bytes) {
  auto drive = make_memory_drive(bytes.size());
  EXPECT_TRUE(drive->write(0, bytes));
  const auto fs = open_file_system(drive);
  EXPECT_TRUE(fs);
  auto stream = (*fs)->used_map();
  auto files = (*fs)->left_out_files();
  return {(*fs)->info(), collect(**stream).value(), files ? *files : std::vector<LeftOutFile>{}};
}

// The width of an entry follows from the number of clusters alone; one off and the whole map is another.
TEST(Fat, TypeByClusterCount) {
  struct Case {
    std::uint32_t bits, clusters;
    FsType type;
  };
  for (const Case& c : {Case{12, 4084, FsType::fat12}, {16, 4085, FsType::fat16}, {16, 65524, FsType::fat16},
                        {32, 65525, FsType::fat32}, {32, 100, FsType::fat32}}) {
    SCOPED_TRACE(c.clusters);
    FatImage image({.bits = c.bits, .clusters = c.clusters});
    const std::uint32_t last = c.clusters + 1;
    image.chain({10, last});
    const Seen seen = look_at(image.bytes());
    EXPECT_EQ(seen.info.type, c.type);
    ASSERT_TRUE(seen.info.used_map_known) << seen.info.warning;
    EXPECT_EQ(seen.info.used_bytes, 512U * (c.bits == 32 ? 3 : 2));
    EXPECT_EQ(seen.info.used_bytes + seen.info.free_bytes, 512U * c.clusters);
    ExtentSet expected({{0, image.extent_of(2).start}});
    if (c.bits == 32) expected.add(image.extent_of(2));
    expected.add(image.extent_of(10));
    expected.add(image.extent_of(last));
    EXPECT_EQ(seen.map, expected);
    EXPECT_EQ(seen.info.last_used_byte, image.bytes().size());
  }
}

TEST(Fat, TooManyClustersForItsWidthIsNoFat) {
  FatImage image({.bits = 16, .clusters = 65525});
  const Seen seen = look_at(image.bytes());
  EXPECT_EQ(seen.info.type, FsType::unknown);
  EXPECT_TRUE(seen.everything(image.bytes()));
}

TEST(Fat, DifferingCopiesAreSavedTogether) {
  for (const std::uint32_t bits : {12U, 16U, 32U}) {
    SCOPED_TRACE(bits);
    FatImage image({.bits = bits, .clusters = bits == 12 ? 4000U : 5000U, .copies = 3});
    image.set_entry(0, 20, image.end_mark());
    image.set_entry(1, 31, image.end_mark());
    image.set_entry(2, 42, image.end_mark());
    const Seen seen = look_at(image.bytes());
    ASSERT_TRUE(seen.info.used_map_known) << seen.info.warning;
    EXPECT_THAT(seen.info.warning, HasSubstr("differ"));
    for (const std::uint32_t cluster : {20U, 31U, 42U}) EXPECT_TRUE(seen.holds(image.extent_of(cluster))) << cluster;
    for (const std::uint32_t cluster : {19U, 21U, 30U, 32U, 41U, 43U}) EXPECT_FALSE(seen.map.intersects(image.extent_of(cluster)));
    EXPECT_EQ(seen.info.used_bytes, 512U * (bits == 32 ? 2 : 1)) << "counted by the active copy";
  }
}

TEST(Fat, CopiesThatAreNotMirroredMayDiffer) {
  FatImage image({.bits = 32, .clusters = 70000, .ext_flags = 0x81});
  image.set_entry(1, 31, image.end_mark());
  image.set_entry(1, 32, image.end_mark());
  image.set_entry(0, 20, image.end_mark());
  const Seen seen = look_at(image.bytes());
  ASSERT_TRUE(seen.info.used_map_known) << seen.info.warning;
  EXPECT_EQ(seen.info.warning, "");
  EXPECT_EQ(seen.info.used_bytes, 3 * 512U);
  for (const std::uint32_t cluster : {20U, 31U, 32U}) EXPECT_TRUE(seen.holds(image.extent_of(cluster))) << cluster;
}

TEST(Fat, BadClustersAreSaved) {
  FatImage image;
  image.set_entry(100, 0xFFF7);
  EXPECT_TRUE(look_at(image.bytes()).holds(image.extent_of(100)));
}

TEST(Fat, DirtyMarks) {
  struct Case {
    std::uint32_t bits, entry1;
    bool boot_mark;
    FsState state;
  };
  for (const Case& c : {Case{16, 0xFFFF, false, FsState::clean}, {16, 0x7FFF, false, FsState::dirty}, {16, 0xBFFF, false, FsState::dirty},
                        {32, 0x0FFFFFFF, false, FsState::clean}, {32, 0x07FFFFFF, false, FsState::dirty},
                        {32, 0x0BFFFFFF, false, FsState::dirty}, {12, 0x7FF, false, FsState::clean},
                        {12, 0xFFF, true, FsState::dirty}, {16, 0xFFFF, true, FsState::dirty}, {32, 0x0FFFFFFF, true, FsState::dirty}}) {
    SCOPED_TRACE(testing::Message() << c.bits << " " << std::hex << c.entry1 << " " << c.boot_mark);
    FatImage image({.bits = c.bits, .clusters = c.bits == 12 ? 4000U : 5000U});
    image.set_entry(1, c.entry1);
    image.bytes()[c.bits == 32 ? 65 : 37] = c.boot_mark ? std::byte{1} : std::byte{0};
    const Seen seen = look_at(image.bytes());
    EXPECT_EQ(seen.info.state, c.state);
    EXPECT_TRUE(seen.info.used_map_known) << seen.info.warning;
  }
}

TEST(Fat, LabelsAndSerials) {
  struct Case {
    const char* stored;
    const char* shown;
  };
  for (const Case& c : {Case{"PLAIN      ", "PLAIN"}, {"TWO WORDS  ", "TWO WORDS"}, {"M\x9ALLER     ", "M\xC3\x9CLLER"},
                        {"\x05" "X         ", "\xC3\x95X"}, {"\xC3\x9CTF8      ", "\xC3\x9CTF8"}}) {
    SCOPED_TRACE(c.shown);
    for (const std::uint32_t bits : {16U, 32U}) {
      FatImage image({.bits = bits});
      image.add_root_entry("\xE5" "LD LABEL  ", kLabel, 0, 0);
      image.add_root_entry("A\0l\0o\0n\0g\0-", kLongName, 0, 0);
      image.add_root_entry(c.stored, kLabel, 0, 0);
      const Seen seen = look_at(image.bytes());
      EXPECT_EQ(seen.info.label, c.shown);
      EXPECT_EQ(seen.info.serial, "1234-ABCD");
    }
  }
  FatImage none({.serial = 0});
  EXPECT_EQ(look_at(none.bytes()).info.serial, "");
  EXPECT_EQ(look_at(none.bytes()).info.label, "");
}

TEST(Fat, LeavesOutASoundPageFileOnly) {
  const auto with_page_file = [](std::uint32_t bits) {
    FatImage image({.bits = bits});
    image.chain({200, 201, 300});
    image.add_root_entry("PAGEFILESYS", kArchive, 200, 3 * 512 - 5);
    return image;
  };
  for (const std::uint32_t bits : {16U, 32U}) {
    SCOPED_TRACE(bits);
    FatImage sound = with_page_file(bits);
    sound.chain({210, 211});
    sound.add_root_entry("OTHER   TXT", kArchive, 210, 1000);
    const Seen seen = look_at(sound.bytes());
    ASSERT_EQ(seen.left_out.size(), 1U);
    EXPECT_EQ(seen.left_out[0].path, "/pagefile.sys");
    EXPECT_EQ(seen.left_out[0].size_bytes, 3 * 512U - 5);
    EXPECT_EQ(seen.left_out[0].extents, ExtentSet({{sound.extent_of(200).start, 1024}, sound.extent_of(300)}));

    FatImage linked = with_page_file(bits);  // a chain that need not begin in the root leads into it
    linked.set_entry(400, 201);
    EXPECT_TRUE(look_at(linked.bytes()).left_out.empty());

    FatImage head = with_page_file(bits);  // another chain goes on with all of it
    head.set_entry(400, 200);
    EXPECT_TRUE(look_at(head.bytes()).left_out.empty());

    FatImage twin = with_page_file(bits);  // two names, one chain
    twin.add_root_entry("OTHER   TXT", kArchive, 200, 3 * 512);
    EXPECT_TRUE(look_at(twin.bytes()).left_out.empty());

    FatImage tail = with_page_file(bits);  // another file begins in its middle
    tail.add_root_entry("OTHER   TXT", kArchive, 300, 512);
    EXPECT_TRUE(look_at(tail.bytes()).left_out.empty());

    FatImage longer = with_page_file(bits);
    longer.chain({300, 301});
    EXPECT_TRUE(look_at(longer.bytes()).left_out.empty());

    FatImage shorter = with_page_file(bits);
    shorter.chain({201});
    EXPECT_TRUE(look_at(shorter.bytes()).left_out.empty());

    FatImage loop = with_page_file(bits);
    loop.set_entry(300, 200);
    EXPECT_TRUE(look_at(loop.bytes()).left_out.empty());

    FatImage differ = with_page_file(bits);
    differ.set_entry(1, 250, differ.end_mark());
    EXPECT_TRUE(look_at(differ.bytes()).left_out.empty());
  }
}

TEST(Fat, EverythingIfDoubtful) {
  FatImage cut;
  cut.bytes().resize(cut.bytes().size() - 512);
  EXPECT_TRUE(look_at(cut.bytes()).everything(cut.bytes()));

  FatImage short_table;
  store_le<std::uint16_t>(short_table.bytes(), 22, 10);
  EXPECT_TRUE(look_at(short_table.bytes()).everything(short_table.bytes()));

  FatImage contradiction;
  std::copy_n(as_bytes("FAT12   ").begin(), 8, contradiction.bytes().begin() + 54);
  const Seen seen = look_at(contradiction.bytes());
  EXPECT_EQ(seen.info.type, FsType::fat16);
  EXPECT_TRUE(seen.everything(contradiction.bytes()));

  FatImage no_signature;
  store_le<std::uint16_t>(no_signature.bytes(), 510, 0);
  EXPECT_TRUE(look_at(no_signature.bytes()).everything(no_signature.bytes()));
}

TEST(Fat, WhatLiesBehindIsSaved) {
  FatImage image;
  const std::uint64_t end = image.bytes().size();
  image.bytes().resize(end + 512);
  const Seen seen = look_at(image.bytes());
  EXPECT_EQ(seen.map.items().back(), (Extent{end, 512}));
  EXPECT_EQ(seen.info.file_system_bytes, end);
}

}  // namespace
}  // namespace tintype::test
