// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/format.h"

#include <gtest/gtest.h>
#include <xxhash.h>

#include "image/part_names.h"
#include "support/memory_place.h"

namespace tintype {
namespace {

// The checksum as the format says, so that a changed byte gets as far as the check that is meant for it.
void fix_sum(MutableByteSpan record) {
  XXH128_canonical_t sum;
  const std::size_t at = record.size() - 16;
  XXH128_canonicalFromHash(&sum, XXH3_128bits(record.data(), at));
  std::memcpy(record.data() + at, sum.digest, 16);
}

PartHeader sample_header() {
  PartHeader header;
  for (std::size_t i = 0; i < 16; ++i) header.set_id[i] = static_cast<std::byte>(i + 1);
  header.base_id[3] = std::byte{9};
  header.part = 7;
  header.encrypted = header.password_needed = true;
  KeySlot& slot = header.slots[2];
  slot = {true, 3, 65536, 1, {}, {}, {}, {}};
  slot.salt.fill(std::byte{1});
  slot.nonce.fill(std::byte{2});
  slot.wrapped_key.fill(std::byte{3});
  slot.tag.fill(std::byte{4});
  return header;
}

template <class Record>
void set32(Record& record, std::size_t at, std::uint32_t value) {
  store_le(record, at, value);
  fix_sum(record);
}

TEST(PartHeader, RoundTrip) {
  const PartHeader header = sample_header();
  const auto bytes = header.encode();
  const auto back = PartHeader::decode(bytes, "x");
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->encode(), bytes);
  EXPECT_EQ(back->set_id, header.set_id);
  EXPECT_EQ(back->base_id, header.base_id);
  EXPECT_EQ(back->part, 7U);
  EXPECT_TRUE(back->encrypted && back->password_needed && back->slots[2].used && !back->slots[0].used);
  EXPECT_EQ(back->slots[2].memory_kib, 65536U);
}

TEST(PartHeader, EveryFlippedByteIsFound) {
  const auto good = sample_header().encode();
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto bad = good;
    bad[at] ^= std::byte{1};
    EXPECT_FALSE(PartHeader::decode(bad, "x")) << at;
  }
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(PartHeader::decode(ByteSpan(good).first(size), "x"));
}

TEST(PartHeader, ReservedBytesMustBeZero) {
  const auto good = sample_header().encode();
  std::vector<std::size_t> reserved = {60, 61, 62, 63};
  for (std::size_t at = 80; at < 128; ++at) reserved.push_back(at);
  for (std::size_t slot = 0; slot < 8; ++slot) {
    for (std::size_t at = 1; at < 4; ++at) reserved.push_back(128 + slot * 128 + at);
    for (std::size_t at = 92; at < 128; ++at) reserved.push_back(128 + slot * 128 + at);
  }
  for (std::size_t at = 1152; at < 4080; ++at) reserved.push_back(at);
  for (const std::size_t at : reserved) {
    auto bad = good;
    bad[at] = std::byte{0x80};
    fix_sum(bad);
    const auto result = PartHeader::decode(bad, "x");
    ASSERT_FALSE(result) << at;
    EXPECT_EQ(result.error().code, ErrorCode::unsupported) << at;
  }
}

TEST(PartHeader, VersionsAndFeatures) {
  const auto good = sample_header().encode();
  auto changed = good;
  store_le(changed, 10, std::uint16_t{5});  // a later minor version may use reserved bytes and compatible features
  changed[100] = std::byte{1};
  set32(changed, 60, 0x10);
  EXPECT_TRUE(PartHeader::decode(changed, "x"));
  for (unsigned bit = 0; bit < 32; ++bit) {
    changed = good;
    set32(changed, 56, 1U << bit);
    const auto result = PartHeader::decode(changed, "x");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::unsupported);
  }
  changed = good;
  store_le(changed, 8, std::uint16_t{2});
  fix_sum(changed);
  EXPECT_EQ(PartHeader::decode(changed, "x").error().code, ErrorCode::unsupported);
}

TEST(PartHeader, AbsurdNumbersAreRefused) {
  struct Change {
    std::size_t at;
    std::uint32_t value;
  };
  const std::size_t slot = 128 + 2 * 128;
  const auto good = sample_header().encode();
  for (const Change& c : {Change{12, 8192}, {48, kMaxParts}, {48, ~0U}, {52, 4}, {52, 1}, {64, 1 << 20}, {68, 1}, {72, 0}, {76, 1},
                          {slot, 2}, {slot + 4, 0}, {slot + 4, 65}, {slot + 8, 7}, {slot + 8, 256 * 1024 + 1}, {slot + 8, ~0U},
                          {slot + 12, 0}, {slot + 12, 17}}) {
    auto bad = good;
    set32(bad, c.at, c.value);
    EXPECT_FALSE(PartHeader::decode(bad, "x")) << c.at << " " << c.value;
  }
  auto much = good;  // each within its limit, but too much together
  store_le(much, slot + 4, std::uint32_t{64});
  set32(much, slot + 8, 256 * 1024);
  EXPECT_FALSE(PartHeader::decode(much, "x"));
}

TEST(Trailer, RoundTripAndEveryByte) {
  Trailer trailer;
  trailer.set_id[0] = std::byte{5};
  trailer.parts = 3;
  trailer.catalog = {0, 2, 123456, 789};
  trailer.part_bytes = 99999;
  trailer.catalog_hash.fill(std::byte{7});
  const auto good = trailer.encode();
  const auto back = Trailer::decode(good, "x");
  ASSERT_TRUE(back);
  EXPECT_EQ(back->encode(), good);
  EXPECT_EQ(back->catalog, trailer.catalog);
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto bad = good;
    bad[at] ^= std::byte{0x20};
    EXPECT_FALSE(Trailer::decode(bad, "x")) << at;
    const bool reserved = (at >= 44 && at < 48) || (at >= 88 && at < 112);
    if (!reserved) continue;
    fix_sum(bad);
    EXPECT_FALSE(Trailer::decode(bad, "x")) << "reserved " << at;
  }
  for (const std::uint32_t parts : {0U, 1U, 2U, kMaxParts + 1, ~0U}) {
    auto bad = good;
    set32(bad, 24, parts);
    EXPECT_FALSE(Trailer::decode(bad, "x")) << parts;
  }
  EXPECT_FALSE(Trailer::decode(ByteSpan(good).first(127), "x"));
}

TEST(FrameHeader, RoundTripAndEveryByte) {
  FrameHeader header;
  header.type = FrameType::page;
  header.codec = Codec::zstd;
  header.encrypted = true;
  header.stored_bytes = 100;
  header.raw_bytes = 5000;
  header.session.fill(std::byte{3});
  header.counter = kOtherFrames + 2;
  header.payload_checksum = 42;
  Bytes good(kFrameHeaderBytes);
  header.encode(good);
  const auto back = FrameHeader::decode(good);
  ASSERT_TRUE(back);
  Bytes again(kFrameHeaderBytes);
  back->encode(again);
  EXPECT_EQ(again, good);
  for (std::size_t at = 0; at < good.size(); ++at) {
    Bytes bad = good;
    bad[at] ^= std::byte{4};
    EXPECT_FALSE(FrameHeader::decode(bad)) << at;
  }
  const auto changed = [&](std::size_t at, std::uint32_t value) {
    Bytes bad = good;
    store_le(bad, at, value);
    store_le(bad, 56, frame_checksum(ByteSpan(bad).first(56)));
    return FrameHeader::decode(bad).has_value();
  };
  EXPECT_TRUE(changed(16, kMaxRawBytes));
  EXPECT_FALSE(changed(16, kMaxRawBytes + 1));
  EXPECT_FALSE(changed(12, kAddressBytes - 1));
  EXPECT_FALSE(changed(12, ~0U));
  EXPECT_FALSE(changed(20, 1));                // reserved
  EXPECT_FALSE(changed(8, 0x01000103));        // reserved byte 11
  EXPECT_FALSE(changed(8, 0x00000203));        // codec 2
  EXPECT_FALSE(changed(8, 0x00020103));        // flag 2
  EXPECT_FALSE(changed(8, 0x00000103));        // plain, but with a session
}

TEST(PartNames, OnlyCanonicalNumbersCount) {
  EXPECT_EQ(part_name("pc.tti", 0), "pc.tti");
  EXPECT_EQ(part_name("pc.tti", 12), "pc.tti.12");
  EXPECT_EQ(partial_name("pc.tti", 0), "pc.tti.partial");
  EXPECT_EQ(partial_name("pc.tti", 3), "pc.tti.3.partial");
  auto place = std::make_shared<test::MemoryPlace>();
  for (const char* name : {"pc.tti", "pc.tti.partial", "pc.tti.1", "pc.tti.10", "pc.tti.2.partial", "pc.tti.0", "pc.tti.01",
                           "pc.tti.-1", "pc.tti.+1", "pc.tti. 1", "pc.tti.1x", "pc.tti.", "pc.tti..1", "pc.ttix", "pc.tti1",
                           "pc.tti.99999999999", "pc.tti.1.partial.partial", "apc.tti.1", "pc.tti.partial.1"})
    place->put(name, {});
  std::vector<std::string> found;
  const auto files = find_parts(*place, "pc.tti");
  ASSERT_TRUE(files);
  for (const PartFile& file : *files) found.push_back(file.name);
  EXPECT_EQ(found, (std::vector<std::string>{"pc.tti", "pc.tti.partial", "pc.tti.1", "pc.tti.2.partial", "pc.tti.10"}));
}

}  // namespace
}  // namespace tintype
