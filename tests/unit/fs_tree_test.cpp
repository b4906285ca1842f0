// SPDX-License-Identifier: GPL-3.0-or-later
// What no mkfs makes: names with wrong checksums, chains in circles, clusters that two files share, data that was never written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fs/file_tree.h"
#include "fs/owner_list.h"
#include "fs/upcase_fold.h"
#include "fs/wide_name.h"
#include "support/exfat_image.h"
#include "support/fat_image.h"

namespace tintype::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::unique_ptr<FileTree> tree_of(const Bytes& bytes) {
  auto drive = make_memory_drive(bytes.size());
  EXPECT_TRUE(drive->write(0, bytes));
  auto tree = open_file_tree(drive);
  EXPECT_TRUE(tree) << tree.error().message();
  return tree ? *std::move(tree) : nullptr;
}

std::vector<std::string> names(FileTree& tree) {
  std::vector<std::string> out;
  EXPECT_TRUE(tree.list(*tree.root(), [&](const FileNode& node) {
    out.push_back(node.name);
    return true;
  }));
  return out;
}

// The piece of a long name for a short one; `units` has 13.
std::string long_piece(std::uint8_t number, const std::u16string& units, const std::string& short_name, int off_by = 0) {
  std::uint8_t sum = 0;
  for (const char c : short_name) sum = static_cast<std::uint8_t>((sum << 7 | sum >> 1) + static_cast<std::uint8_t>(c));
  std::string raw(32, '\0');
  raw[0] = static_cast<char>(number);
  raw[11] = 0x0F;
  raw[13] = static_cast<char>(sum + off_by);
  constexpr int kPlaces[] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
  for (std::size_t i = 0; i < 13; ++i) {
    const char16_t unit = i < units.size() ? units[i] : i == units.size() ? u'\0' : u'\xFFFF';
    raw[static_cast<std::size_t>(kPlaces[i])] = static_cast<char>(unit & 0xFF);
    raw[static_cast<std::size_t>(kPlaces[i]) + 1] = static_cast<char>(unit >> 8);
  }
  return raw;
}

// Entries written straight into the root of a FAT16 image.
struct RawFat {
  FatImage image{{.bits = 16, .clusters = 5000}};
  std::size_t at = 0;
  void put(const std::string& raw) {
    const std::uint64_t root = image.extent_of(2).start - FatImage::kRootEntries * 32;
    std::copy_n(as_bytes(raw).begin(), 32, image.bytes().begin() + static_cast<std::ptrdiff_t>(root + at));
    at += 32;
  }
  void file(const std::string& name, std::uint32_t cluster, std::uint32_t size, std::uint8_t attributes = 0x20, std::uint8_t nt = 0) {
    std::string raw = name + std::string(21, '\0');
    raw[11] = static_cast<char>(attributes);
    raw[12] = static_cast<char>(nt);
    for (int i = 0; i < 2; ++i) raw[static_cast<std::size_t>(26 + i)] = static_cast<char>(cluster >> (8 * i));
    for (int i = 0; i < 4; ++i) raw[static_cast<std::size_t>(28 + i)] = static_cast<char>(size >> (8 * i));
    put(raw);
  }
};

TEST(FatTreeUnit, Names) {
  RawFat fat;
  fat.put(long_piece(0x42, u"name", "LONGNA~1TXT"));
  fat.put(long_piece(0x01, u"A long long ", "LONGNA~1TXT"));  // the zero within ends it
  fat.file("LONGNA~1TXT", 0, 0);
  fat.put(long_piece(0x41, u"wrong sum", "SHORT   TXT", 1));
  fat.file("SHORT   TXT", 0, 0);
  fat.put(long_piece(0x41, u"orphan", "OTHER   TXT"));
  fat.file("LOWER   EXT", 0, 0, 0x20, 0x18);
  fat.file("BASE    EXT", 0, 0, 0x20, 0x08);
  fat.file("\x05" "KLM\x84   X  ", 0, 0);
  fat.file("\xE5" "DELETED TXT", 0, 0);
  fat.file("LABEL      ", 0, 0, 0x08);
  fat.put(long_piece(0x41, u"lone \xD800!", "SURROG~1   "));
  fat.file("SURROG~1   ", 0, 0);
  const auto tree = tree_of(fat.image.bytes());
  EXPECT_THAT(names(*tree), ElementsAre("A long long ", "SHORT.TXT", "lower.ext", "base.EXT", "\xC3\x95KLM\xC3\xA4.X", "lone \xED\xA0\x80!"));
}

TEST(FatTreeUnit, ChainInACircleIsToldAndReadsEnd) {
  RawFat fat;
  fat.image.set_entry(10, 11);
  fat.image.set_entry(11, 10);
  fat.file("CIRCLE     ", 10, 4'000'000'000U);
  fat.file("SHORT      ", 20, 2000);
  fat.image.set_entry(20, 0xFFFF);
  const auto tree = tree_of(fat.image.bytes());
  const auto circle = tree->open(*find_node(*tree, "/circle"));
  ASSERT_TRUE(circle);
  Bytes bytes(2000);
  EXPECT_EQ((*circle)->read(0, bytes).error().code, ErrorCode::corrupt);
  EXPECT_FALSE((*circle)->extents());
  const auto cut = tree->open(*find_node(*tree, "/short"));
  ASSERT_TRUE(cut);
  EXPECT_TRUE((*cut)->read(0, MutableByteSpan(bytes).first(512)));
  EXPECT_THAT((*cut)->read(0, bytes).error().message(), HasSubstr("ends after 1 of 4"));
}

// A folder that is its own child: the walk goes in once.
TEST(FatTreeUnit, FolderInACircle) {
  RawFat fat;
  fat.file("LOOP       ", 30, 0, 0x10);
  fat.image.set_entry(30, 0xFFFF);
  std::string inner = "LOOP       " + std::string(21, '\0');
  inner[11] = 0x10;
  inner[26] = 30;
  const std::uint64_t place = fat.image.extent_of(30).start;
  std::copy_n(as_bytes(inner).begin(), 32, fat.image.bytes().begin() + static_cast<std::ptrdiff_t>(place));
  const auto tree = tree_of(fat.image.bytes());
  const auto owners = tree->owners(ExtentSet({{place, 512}}));
  ASSERT_TRUE(owners);
  ASSERT_FALSE(owners->empty());
  EXPECT_EQ(owners->front().what, "/LOOP");
  EXPECT_LE(owners->size(), 2U);
}

TEST(FatTreeUnit, SharedClustersHaveTwoOwners) {
  RawFat fat;
  fat.file("ONE        ", 40, 512);
  fat.file("TWO        ", 40, 512);
  fat.image.set_entry(40, 0xFFFF);
  fat.image.set_entry(41, 0xFFF7);
  fat.image.set_entry(42, 0xFFFF);
  const auto tree = tree_of(fat.image.bytes());
  std::vector<std::string> whats;
  const auto owners = tree->owners(ExtentSet({{fat.image.extent_of(40).start, 4 * 512}}));
  ASSERT_TRUE(owners);
  for (const ByteOwner& owner : *owners) whats.push_back(owner.what);
  EXPECT_THAT(whats, ElementsAre("/ONE", "/TWO", "clusters marked as bad", "clusters in use that belong to no file", "free space"));
}

TEST(ExfatTreeUnit, WhatWasNotWrittenReadsAsZeros) {
  ExfatImage image;
  const std::uint32_t first = image.first_free_cluster();
  image.add_file("whole", 9000, {first, first + 1, first + 2}, 'w');
  image.add_file("partly", 9000, {first + 4, first + 6, first + 8}, 'p');
  image.finish();
  // The valid length of the second set, and its checksum anew.
  Bytes& bytes = image.bytes();
  const std::uint64_t root = image.extent_of(image.root_cluster()).start;
  std::uint64_t at = root;
  for (int files = 0; files < 2; at += 32) files += u8(bytes, at) == 0x85 ? 1 : 0;
  at -= 32;
  store_le<std::uint64_t>(bytes, at + 32 + 8, 5000);
  const ByteSpan set = ByteSpan(bytes).subspan(at, 96);
  std::uint16_t sum = 0;
  for (std::size_t i = 0; i < set.size(); ++i)
    if (i != 2 && i != 3) sum = static_cast<std::uint16_t>((sum << 15 | sum >> 1) + u8(set, i));
  const std::uint16_t old = le16(bytes, at + 2);
  {
    const auto tree = tree_of(bytes);
    std::vector<std::string> seen;
    const auto listed = tree->list(*tree->root(), [&](const FileNode& node) {
      seen.push_back(node.name);
      return true;
    });
    EXPECT_NE(sum, old);
    EXPECT_FALSE(listed) << "a wrong checksum is told";
    EXPECT_THAT(seen, ElementsAre("whole"));
  }
  store_le<std::uint16_t>(bytes, at + 2, sum);
  const auto tree = tree_of(bytes);
  const auto node = find_node(*tree, "/PARTLY");
  ASSERT_TRUE(node);
  const auto content = tree->open(*node);
  Bytes read(9000);
  ASSERT_TRUE((*content)->read(0, read));
  EXPECT_EQ(std::count(read.begin(), read.end(), std::byte{'p'}), 5000);
  EXPECT_TRUE(all_zero(ByteSpan(read).subspan(5000)));
  EXPECT_EQ((*content)->extents()->size(), 2U);
  EXPECT_FALSE(*(*content)->next_data(5000));
  EXPECT_EQ(tree->owners(ExtentSet({image.extent_of(first + 8)}))->front().what, "/partly");
}

// The keys and facts of ReiserFS 3.5, which no kernel at hand writes: a volume with one leaf, made after debugreiserfs's print of what
// mkreiserfs --format 3.5 makes, and a file in one block and a tail.
struct OldReiser {
  static constexpr std::size_t kBlock = 4096, kRoot = 30, kData = 40;
  Bytes bytes = Bytes(64 * kBlock);
  std::size_t items = 0, end = kRoot * kBlock + kBlock;

  OldReiser() {
    const std::size_t super = 65536;
    for (const auto& [at, value] : {std::pair<std::size_t, std::uint32_t>{0, 64}, {4, 20}, {8, kRoot}, {12, 18}, {20, 8}})
      store_le<std::uint32_t>(bytes, super + at, value);
    store_le<std::uint16_t>(bytes, super + 44, kBlock);
    store_le<std::uint16_t>(bytes, super + 50, 1);  // unmounted
    std::copy_n(as_bytes("ReIsErFs").begin(), 8, bytes.begin() + static_cast<std::ptrdiff_t>(super + 52));
    store_le<std::uint16_t>(bytes, kRoot * kBlock, 1);
  }
  void item(std::uint32_t locality, std::uint32_t object, std::uint32_t offset, std::uint32_t uniqueness, std::uint16_t entries, const Bytes& body) {
    const std::size_t head = kRoot * kBlock + 24 + 24 * items++;
    end -= body.size();
    std::size_t at = head;
    for (const std::uint32_t part : {locality, object, offset, uniqueness}) store_le<std::uint32_t>(bytes, std::exchange(at, at + 4), part);
    store_le<std::uint16_t>(bytes, head + 16, entries);
    store_le<std::uint16_t>(bytes, head + 18, static_cast<std::uint16_t>(body.size()));
    store_le<std::uint16_t>(bytes, head + 20, static_cast<std::uint16_t>(end - kRoot * kBlock));
    std::copy(body.begin(), body.end(), bytes.begin() + static_cast<std::ptrdiff_t>(end));
    store_le<std::uint16_t>(bytes, kRoot * kBlock + 2, static_cast<std::uint16_t>(items));
  }
  static Bytes stat(std::uint16_t mode, std::uint32_t size) {
    Bytes raw(32);
    store_le<std::uint16_t>(raw, 0, mode);
    store_le<std::uint16_t>(raw, 2, 1);
    store_le<std::uint16_t>(raw, 4, 1000);
    store_le<std::uint32_t>(raw, 8, size);
    store_le<std::uint32_t>(raw, 16, 946684798);
    return raw;
  }
};

TEST(ReiserfsTreeUnit, OldKeysAndFacts) {
  OldReiser volume;
  volume.item(1, 2, 0, 0, 0, OldReiser::stat(0040755, 35));
  Bytes folder(3 * 16 + 4 + 2 + 1);
  const auto entry = [&](std::size_t i, std::uint32_t offset, std::uint32_t locality, std::uint32_t object, std::uint16_t location) {
    store_le<std::uint32_t>(folder, 16 * i, offset);
    store_le<std::uint32_t>(folder, 16 * i + 4, locality);
    store_le<std::uint32_t>(folder, 16 * i + 8, object);
    store_le<std::uint16_t>(folder, 16 * i + 12, location);
    store_le<std::uint16_t>(folder, 16 * i + 14, 4);
  };
  entry(0, 1, 1, 2, 54), entry(1, 2, 0, 1, 52), entry(2, 777, 2, 3, 48);
  std::copy_n(as_bytes("file...").begin(), 7, folder.begin() + 48);
  volume.item(1, 2, 1, 500, 3, folder);
  volume.item(2, 3, 0, 0, 0, OldReiser::stat(0100644, 4101));
  Bytes pointer(4);
  store_le<std::uint32_t>(pointer, 0, OldReiser::kData);
  volume.item(2, 3, 1, 0xFFFFFFFE, 0, pointer);
  volume.item(2, 3, 4097, 0xFFFFFFFF, 0, Bytes(8, std::byte{'t'}));
  volume.bytes[OldReiser::kData * 4096] = std::byte{'d'};

  const auto tree = tree_of(volume.bytes);
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->type(), FsType::reiserfs);
  EXPECT_THAT(names(*tree), ElementsAre("file"));
  const auto file = find_node(*tree, "/file");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->size_bytes, 4101U);
  EXPECT_EQ(file->owner, 1000U);
  EXPECT_EQ(file->modified, 946684798'000'000'000);
  const auto content = tree->open(*file);
  Bytes read(4101);
  ASSERT_TRUE((*content)->read(0, read));
  EXPECT_EQ(as_text(ByteSpan(read).first(1)), "d");
  EXPECT_EQ(as_text(ByteSpan(read).subspan(4096)), "ttttt");
  EXPECT_EQ((*content)->extents()->size(), 2U);
  EXPECT_EQ(tree->owners(ExtentSet({{OldReiser::kData * 4096, 1}}))->front().what, "/file");
}

TEST(OwnerListUnit, ListsAreCapped) {
  OwnerList list(ExtentSet({{0, 1'000'000}}), 1'000'000);
  for (std::uint64_t i = 0; i < OwnerList::kMaxOwners + 10; ++i) list.claim(ByteOwner::Kind::file, std::to_string(i), {i * 2, 1});
  EXPECT_TRUE(list.unclaimed().empty());
  const auto owners = list.take();
  EXPECT_EQ(owners.size(), OwnerList::kMaxOwners + 1);
  EXPECT_THAT(owners.back().what, HasSubstr("more"));
  EXPECT_TRUE(owners.back().bytes.contains(OwnerList::kMaxOwners * 2));
}

TEST(OwnerListUnit, FoldersInACircleEnd) {
  OwnerList list(ExtentSet({{0, 100}}), 100);
  FoundFiles found;
  static_cast<std::map<std::uint64_t, FoundFile>&>(found)[5] = {ExtentSet({{0, 10}}), false, true, 7, "file"};
  FolderClimb climb;
  climb.root = 2;
  climb.parent_of = [](std::uint64_t folder) { return std::optional<std::uint64_t>(folder == 7 ? 8 : 7); };
  climb.list = [](std::uint64_t folder, const FolderClimb::Visit& visit) { (void)visit(folder == 7 ? 8 : 7, folder == 7 ? "eight" : "seven"); };
  claim_by_path(list, found, climb);
  const auto owners = list.take();
  ASSERT_EQ(owners.size(), 1U);
  EXPECT_TRUE(owners[0].what.starts_with("/..."));
  EXPECT_TRUE(owners[0].what.ends_with("/seven/file"));
  EXPECT_LT(owners[0].what.size(), 5000U);
}

TEST(NamesUnit, BothWays) {
  EXPECT_EQ(folded_name("stra\xC3\x9F" "e \xC3\xA9\xCF\x82\xD1\x8F"), "STRA\xC3\x9F" "E \xC3\x89\xCE\xA3\xD0\xAF");
  for (const std::u16string& units : {std::u16string(u"abc"), std::u16string(u"\xD83D\xDE00"), std::u16string(1, char16_t{0xDC00}), std::u16string(u"\x20AC")})
    EXPECT_EQ(utf16_of_name(name_of_utf16(units)), units);
  EXPECT_EQ(utf16_of_name("\xFF" "a\xE2\x82"), u"\xFFFD" u"a\xFFFD\xFFFD");
}

}  // namespace
}  // namespace tintype::test
