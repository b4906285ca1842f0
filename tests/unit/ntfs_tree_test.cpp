// SPDX-License-Identifier: GPL-3.0-or-later
// Parsers by themselves, and a small volume of ntfs-3g's (seed_packed of the fuzz target) that is damaged here and there.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "drive/faulty_drive.h"
#include "fs/file_tree.h"
#include "fs/ntfs/content.h"
#include "fs/ntfs/lznt1.h"
#include "fs/ntfs/mft_walk.h"
#include "fs/ntfs/names.h"
#include "fs/ntfs/paths.h"
#include "fs/ntfs/reparse.h"
#include "fuzz/ntfs_volume.h"

namespace tintype::ntfs {
namespace {

Bytes bytes_of(std::initializer_list<int> values) {
  Bytes out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

TEST(NtfsNames, Utf16AndBack) {
  const Bytes name = bytes_of({'a', 0, 0xe4, 0, 0xe5, 0x65, 0x3d, 0xd8, 0x00, 0xde, 0x3d, 0xd8, 'b', 0, 0x00, 0xde});
  const std::string text = text_of_utf16(name);
  EXPECT_EQ(text, "aä日\xf0\x9f\x98\x80\xed\xa0\xbd" "b\xed\xb8\x80");
  const auto back = utf16_of_text(text);
  ASSERT_TRUE(back);
  EXPECT_EQ(Bytes(as_bytes({reinterpret_cast<const char*>(back->data()), 2 * back->size()}).begin(),
                  as_bytes({reinterpret_cast<const char*>(back->data()), 2 * back->size()}).end()), name);
  for (const char* bad : {"\xff", "\xc0\x80", "\xe0\x80\x80", "\xf4\x90\x80\x80", "\xe6\x97", "\x80"}) EXPECT_FALSE(utf16_of_text(bad)) << bad;
}

TEST(NtfsNames, Times) {
  EXPECT_EQ(unix_time(116444736000000001), 100);
  EXPECT_EQ(unix_time(116444735999999999), -100);
  EXPECT_FALSE(unix_time(0));
  EXPECT_FALSE(unix_time(-1));
  EXPECT_FALSE(unix_time(INT64_MAX));
}

TEST(NtfsLznt1, UnpacksLiteralsCopiesAndPlainChunks) {
  // "abc", then nine bytes from three back; a plain chunk of four; an end.
  const Bytes packed = bytes_of({0x05, 0xb0, 0x08, 'a', 'b', 'c', 0x06, 0x20, 0x03, 0x30, 'w', 'x', 'y', 'z', 0, 0, 0xff});
  Bytes out(8192 + 100, std::byte{0x55});
  ASSERT_TRUE(unpack_lznt1(packed, out));
  EXPECT_EQ(as_text(ByteSpan(out).first(12)), "abcabcabcabc");
  EXPECT_TRUE(all_zero(ByteSpan(out).subspan(12, 4084)));
  EXPECT_EQ(as_text(ByteSpan(out).subspan(4096, 4)), "wxyz");
  EXPECT_TRUE(all_zero(ByteSpan(out).subspan(4100)));
}

TEST(NtfsLznt1, RefusesWhatCannotBe) {
  Bytes out(4096);
  EXPECT_FALSE(unpack_lznt1(bytes_of({0x02, 0xb0, 0x01, 0x00, 0x00}), out));             // a copy before anything is there
  EXPECT_FALSE(unpack_lznt1(bytes_of({0x03, 0xb0, 0x02, 'a', 0x00, 0x10}), out));        // from before the beginning
  EXPECT_FALSE(unpack_lznt1(bytes_of({0xff, 0xbf, 0x00, 'a'}), out));                    // longer than what there is
  EXPECT_FALSE(unpack_lznt1(bytes_of({0x00, 0x90, 'a'}), out));                          // no such signature
}

TEST(NtfsReparse, MalformedTargets) {
  EXPECT_FALSE(reparse_target({}));
  Bytes value(20);
  store_le<std::uint32_t>(value, 0, kSymlinkTag);
  store_le<std::uint16_t>(value, 4, 13);
  EXPECT_FALSE(reparse_target(value));  // longer than what there is
  store_le<std::uint16_t>(value, 4, 12);
  EXPECT_EQ(reparse_target(value).value_or("none"), "");
  store_le<std::uint16_t>(value, 10, 2);  // of the name, which lies past the end
  EXPECT_FALSE(reparse_target(value));
}

class NtfsTreeDamage : public testing::Test {
 protected:
  void SetUp() override { use("seed_packed"); }
  void use(const std::string& name) {
    std::ifstream in(TINTYPE_SOURCE_DIR "/tests/damaged/fuzz_ntfs_tree/" + name, std::ios::binary);
    const std::string seed{std::istreambuf_iterator<char>(in), {}};
    drive_ = fuzz::ntfs_volume_of(as_bytes(seed));
    ASSERT_TRUE(drive_);
    Bytes sector(512);
    ASSERT_TRUE(drive_->read(0, sector));
    boot_ = parse_boot_sector(sector).value();
  }
  std::unique_ptr<FileTree> tree() { return open_file_tree(drive_).take(); }
  std::uint64_t record_at(std::uint64_t number) {
    const Mft mft = Mft::open(*drive_, boot_).value();
    return places_of(mft.self().find(kData)->runs, boot_.cluster_bytes, {number * boot_.record_bytes, boot_.record_bytes}).front().start;
  }
  static std::string content(FileTree& tree, const FileNode& node, const std::string& stream = {}) {
    const auto opened = tree.open(node, stream);
    if (!opened) return opened.error().message();
    Bytes bytes((*opened)->size_bytes());
    EXPECT_TRUE((*opened)->read(0, bytes));
    return std::string(as_text(bytes));
  }
  std::shared_ptr<Drive> drive_;
  BootSector boot_;
};

TEST_F(NtfsTreeDamage, SoundAsItIs) {
  const auto all = tree();
  std::string lines;
  for (int i = 0; i < 900; ++i) lines += "line " + std::to_string(i) + "\n";
  const FileNode packed = find_node(*all, "P/T").value();
  EXPECT_TRUE(packed.compressed);
  EXPECT_LT(packed.stored_bytes, lines.size());
  EXPECT_EQ(content(*all, packed), lines);
  EXPECT_FALSE(all->open(packed).value()->next_data(lines.size()).value());
  EXPECT_EQ(content(*all, find_node(*all, "w").value(), "ads"), std::string(900, 'a'));
  EXPECT_EQ(content(*all, find_node(*all, "w").value(), "ADS"), std::string(900, 'a'));
  EXPECT_EQ(all->open(find_node(*all, "w").value(), "bds").error().code, ErrorCode::not_found);
  EXPECT_EQ(all->link_target(find_node(*all, "j").value()).value().value_or("none"), "C:\\x");
  EXPECT_EQ(content(*all, find_node(*all, "l").value()), "p/t");
  Bytes one(1);
  const auto sparse = all->open(find_node(*all, "s").value()).value();
  EXPECT_EQ(sparse->next_data(0).value()->end(), 200700U);
  EXPECT_EQ(sparse->read(200700, one).error().code, ErrorCode::out_of_bounds);
  EXPECT_EQ(all->list(packed, [](const FileNode&) { return true; }).error().code, ErrorCode::usage);
}

TEST_F(NtfsTreeDamage, BootSectorLost) {
  ASSERT_TRUE(drive_->zero(0, 512));
  EXPECT_EQ(content(*tree(), find_node(*tree(), "w").value()), "w");
  FaultPlan plan;
  plan.read_bad.push_back({{0, 512}, 0});
  EXPECT_TRUE(open_file_tree(make_faulty_drive(drive_, plan)));
}

TEST_F(NtfsTreeDamage, ATornRecordStillShowsInItsFolder) {
  const std::uint64_t id = find_node(*tree(), "w").value().id;
  ASSERT_TRUE(drive_->zero(record_at(id) + 510, 2));
  const auto all = tree();
  std::size_t seen = 0;
  FileNode torn;
  const auto listed = all->list(all->root().value(), [&](const FileNode& node) {
    ++seen;
    if (node.name == "w") torn = node;
    return true;
  });
  ASSERT_FALSE(listed);
  EXPECT_NE(listed.error().what.find("w"), std::string::npos);
  EXPECT_EQ(torn.id, id);
  EXPECT_GT(seen, 15U);
  EXPECT_FALSE(all->open(torn));
  EXPECT_EQ(content(*all, find_node(*all, "l").value()), "p/t");
}

TEST_F(NtfsTreeDamage, ATornIndexBlockHidesItsOwnNamesOnly) {
  use("seed_listed");
  const FileNode folder = find_node(*tree(), "d").value();
  const auto count = [&](bool& sound) {
    std::size_t names = 0;
    sound = tree()->list(folder, [&](const FileNode&) { return ++names > 0; }).has_value();
    return names;
  };
  bool sound = false;
  ASSERT_EQ(count(sound), 44U);
  EXPECT_TRUE(sound);
  const Mft mft = Mft::open(*drive_, boot_).value();
  const File file = mft.load_file(folder.id).value();
  const Extent block = places_of(file.find(kIndexAllocation, "$I30")->runs, boot_.cluster_bytes, {0, 4096}).front();
  ASSERT_TRUE(drive_->zero(block.start + 510, 2));
  EXPECT_LT(count(sound), 44U);
  EXPECT_GT(count(sound), 0U);
  EXPECT_FALSE(sound);
  const auto owners = tree()->owners(ExtentSet({{block.start, 1}}));
  ASSERT_EQ(owners->size(), 1U);
  EXPECT_EQ(owners->front().what + " " + owners->front().part, "/d index");
}

TEST_F(NtfsTreeDamage, OwnersWithABadSectorInTheTable) {
  const std::uint64_t id = find_node(*tree(), "w").value().id;
  const std::uint64_t bad = record_at(id);
  const std::uint64_t other = record_at(find_node(*tree(), "l").value().id);
  FaultPlan plan;
  plan.read_bad.push_back({{bad, 512}, 0});
  const auto all = open_file_tree(make_faulty_drive(drive_, plan));
  ASSERT_TRUE(all) << all.error().message();
  const auto owners = (*all)->owners(ExtentSet({{bad, 512}, {other, 10}}));
  ASSERT_TRUE(owners);
  ASSERT_EQ(owners->size(), 2U);
  std::string said;
  for (const ByteOwner& owner : *owners) said += owner.what + " (" + owner.part + ")\n";
  EXPECT_NE(said.find("/l (MFT record)"), std::string::npos) << said;
  EXPECT_NE(said.find("/w (MFT record)"), std::string::npos) << said;  // as the root's index has it
}

TEST_F(NtfsTreeDamage, OwnersOfAllocatedClustersThatNobodyClaims) {
  const auto owners = tree()->owners(ExtentSet({{0, drive_->size_bytes()}}));
  ASSERT_TRUE(owners);
  const auto free = std::ranges::find(*owners, std::string("free space"), &ByteOwner::what);
  ASSERT_NE(free, owners->end());
  const Extent piece = free->bytes.items().back();
  ASSERT_GT(piece.length, 8 * boot_.cluster_bytes);
  const std::uint64_t cluster = piece.start / boot_.cluster_bytes + 3;
  const Mft mft = Mft::open(*drive_, boot_).value();
  const std::uint64_t bitmap = mft.load_file(kBitmapRecord)->find(kData)->runs.extents(boot_.cluster_bytes).front().start;
  Bytes bits(1);
  ASSERT_TRUE(drive_->read(bitmap + cluster / 8, bits));
  bits[0] |= std::byte{1} << (cluster % 8);
  ASSERT_TRUE(drive_->write(bitmap + cluster / 8, bits));
  const std::uint64_t at = cluster * boot_.cluster_bytes;
  const auto now = tree()->owners(ExtentSet({{at - 100, 1000}}));
  ASSERT_TRUE(now);
  ASSERT_EQ(now->size(), 2U);
  EXPECT_EQ(now->front().kind, ByteOwner::Kind::free_space);
  EXPECT_EQ(now->front().bytes, ExtentSet({{at - 100, 100}, {at + 512, 388}}));
  EXPECT_EQ(now->back().what, "allocated space that no file claims");
  EXPECT_EQ(now->back().bytes, ExtentSet({{at, 512}}));
}

TEST_F(NtfsTreeDamage, FoldersThatAreTheirOwnParentsEnd) {
  const FileNode folder = find_node(*tree(), "p").value();
  const std::uint64_t at = record_at(folder.id);
  Bytes record(boot_.record_bytes);
  ASSERT_TRUE(drive_->read(at, record));
  std::size_t name = le16(record, 20);
  while (le32(record, name) != kFileName) name += le32(record, name + 4);
  store_le<std::uint64_t>(record, name + le16(record, name + 20), folder.handle[0] | folder.handle[1] << 48);
  ASSERT_TRUE(drive_->write(at, record));
  const Mft mft = Mft::open(*drive_, boot_).value();
  const FileNode inside = find_node(*tree(), "p/t").value();
  const auto found = Paths(mft).find({inside.id, static_cast<std::uint16_t>(inside.handle[1])});
  EXPECT_TRUE(found.path.starts_with("/?/p/p/")) << found.path.substr(0, 100);
  EXPECT_TRUE(found.path.ends_with("/p/t"));
  EXPECT_LT(found.path.size(), 1000U);
}

TEST_F(NtfsTreeDamage, EncryptedIsSaid) {
  const FileNode node = find_node(*tree(), "s").value();
  const std::uint64_t at = record_at(node.id);
  Bytes record(boot_.record_bytes);
  ASSERT_TRUE(drive_->read(at, record));
  std::size_t data = le16(record, 20);
  while (le32(record, data) != kData) data += le32(record, data + 4);
  store_le<std::uint16_t>(record, data + 12, static_cast<std::uint16_t>(le16(record, data + 12) | kEncrypted));
  ASSERT_TRUE(drive_->write(at, record));
  EXPECT_TRUE(find_node(*tree(), "s").value().encrypted);
  const auto opened = tree()->open(node);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::unsupported);
  EXPECT_NE(opened.error().what.find("EFS"), std::string::npos);
}

TEST_F(NtfsTreeDamage, WhatWasNeverWrittenIsZeros) {
  const FileNode node = find_node(*tree(), "p/t").value();
  const std::uint64_t at = record_at(node.id);
  Bytes record(boot_.record_bytes);
  ASSERT_TRUE(drive_->read(at, record));
  std::size_t data = le16(record, 20);
  while (le32(record, data) != kData) data += le32(record, data + 4);
  store_le<std::uint64_t>(record, data + 56, 5);
  ASSERT_TRUE(drive_->write(at, record));
  const std::string text = content(*tree(), node);
  EXPECT_EQ(text.substr(0, 5), "line ");
  EXPECT_EQ(text.find_first_not_of('\0', 5), std::string::npos);
  EXPECT_EQ(text.size(), node.size_bytes);
}

}  // namespace
}  // namespace tintype::ntfs
