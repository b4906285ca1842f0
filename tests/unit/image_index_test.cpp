// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>

#include "image/catalog.h"
#include "image/cbor_guard.h"
#include "image/page.h"

namespace tintype {
namespace {

constexpr Extent kSmallRegion{kRegionBytes, 3 * kChunkBytes + 1000};  // the last of an area, four chunks

Page sample_page() {
  Page page;
  page.used = {{kRegionBytes, 512}, {kRegionBytes + 1024, 128 * 512}, {kRegionBytes + 3 * kChunkBytes + 512, 488}};
  page.unreadable = {{kRegionBytes + 1024, 512}};
  page.entries.resize(4);
  page.entries[0] = {ChunkEntry::Kind::stored, true, {0, 2, 5000, 700}, {}, {}, {}};
  page.entries[1] = {ChunkEntry::Kind::delta, false, {3, 0, 4500, 90}, {}, {{1, 0, 5000, 700}, {2, 1, 6000, 80}}, {}};
  page.entries[0].hash.fill(std::byte{6});
  page.entries[3].kind = ChunkEntry::Kind::zero;
  return page;
}

Bytes section(std::uint16_t tag, std::uint16_t flags, const Bytes& content) {
  Bytes out(8);
  store_le(out, 0, tag);
  store_le(out, 2, flags);
  store_le(out, 4, static_cast<std::uint32_t>(content.size()));
  out.insert(out.end(), content.begin(), content.end());
  return out;
}
Bytes join(std::initializer_list<Bytes> pieces) {
  Bytes out;
  for (const Bytes& piece : pieces) out.insert(out.end(), piece.begin(), piece.end());
  return out;
}
Bytes raw(std::initializer_list<unsigned> values) {
  Bytes out;
  for (const unsigned v : values) out.push_back(static_cast<std::byte>(v));
  return out;
}

TEST(Page, RoundTrip) {
  const Page page = sample_page();
  const Bytes bytes = page.encode(kSmallRegion);
  const auto back = Page::decode(bytes, kSmallRegion);
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->used, page.used);
  EXPECT_EQ(back->unreadable, page.unreadable);
  EXPECT_EQ(back->entries, page.entries);
  EXPECT_EQ(back->encode(kSmallRegion), bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    if (const auto cut = Page::decode(ByteSpan(bytes).first(size), kSmallRegion)) {
      EXPECT_TRUE(cut->unreadable.empty()) << size;  // cut exactly before the optional section
    }
}

// A delta over its own earlier state and two other chunks, and one with nothing of its own.
Page page_with_moved() {
  Page page = sample_page();
  page.entries[1].moved = {{7, {{1, 0, 8000, 900}, {2, 0, 9000, 90}}, {{0, 4096, 8192}, {kChunkBytes - 512, 0, 512}}},
                           {std::uint64_t{1} << 40, {{1, 0, 8000, 900}}, {{0, 0, kChunkBytes}}}};
  page.entries[2] = {ChunkEntry::Kind::delta, false, {3, 0, 7000, 90}, {}, {}, {{0, {{1, 0, 5000, 700}}, {{512, 1024, 512}}}}};
  return page;
}

TEST(Page, MovedDataRoundTrip) {
  const Page page = page_with_moved();
  const Bytes bytes = page.encode(kSmallRegion);
  const auto back = Page::decode(bytes, kSmallRegion);
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->entries, page.entries);
  EXPECT_EQ(back->encode(kSmallRegion), bytes);
  const std::size_t whole = bytes.size() - (8 + 2);  // without the optional section, which comes last
  for (std::size_t size = 0; size < whole; ++size) EXPECT_FALSE(Page::decode(ByteSpan(bytes).first(size), kSmallRegion)) << size;
  EXPECT_TRUE(Page::decode(ByteSpan(bytes).first(whole), kSmallRegion));
  // A page without any is what it always was.
  const Bytes plain = sample_page().encode(kSmallRegion);
  for (std::size_t at = 0; at < plain.size(); at += 8 + le32(plain, at + 4)) EXPECT_LE(le16(plain, at), 4);
  // What a program that does not know the section sees: one that must not be passed over.
  std::size_t at = 0;
  while (le16(bytes, at) != 5) at += 8 + le32(bytes, at + 4);
  EXPECT_EQ(le16(bytes, at + 2), 1);
}

TEST(Page, MovedDataIsSeenFromElsewhere) {
  Page page = page_with_moved();
  page.entries[2].moved[0].frames[0].link = 0;
  page.seen_from(9);
  EXPECT_EQ(page.entries[2].moved[0].frames[0].link, 9U);
  EXPECT_EQ(page.entries[1].moved[0].frames[1].link, 2U);
}

TEST(Page, HostileMovedData) {
  const Page sound = page_with_moved();
  const auto decodes = [&](const std::function<void(Page&)>& spoil) {
    Page page = sound;
    spoil(page);
    return Page::decode(page.encode(kSmallRegion), kSmallRegion).has_value();
  };
  const auto data = [](Page& page) -> MovedData& { return page.entries[1].moved[0]; };
  EXPECT_TRUE(decodes([](Page&) {}));
  EXPECT_FALSE(decodes([&](Page& p) { data(p).frames.clear(); }));
  EXPECT_TRUE(decodes([&](Page& p) { data(p).frames.resize(9); }));
  EXPECT_FALSE(decodes([&](Page& p) { data(p).frames.resize(10); }));
  EXPECT_FALSE(decodes([&](Page& p) { data(p).runs.clear(); }));
  EXPECT_TRUE(decodes([&](Page& p) { data(p).runs.resize(127, {0, 0, 512}); }));
  EXPECT_FALSE(decodes([&](Page& p) { data(p).runs.resize(128, {0, 0, 512}); }));  // of both together
  EXPECT_FALSE(decodes([&](Page& p) { data(p).runs[0].bytes = 0; }));
  EXPECT_FALSE(decodes([&](Page& p) { data(p).runs[0] = {kChunkBytes, 0, 512}; }));
  EXPECT_FALSE(decodes([&](Page& p) { data(p).runs[0] = {0, kChunkBytes - 512, 1024}; }));
  EXPECT_FALSE(decodes([&](Page& p) { data(p).runs[0] = {512, 0, kChunkBytes}; }));
  EXPECT_FALSE(decodes([&](Page& p) { data(p).runs[0].bytes = 65535 * 512; }));
  EXPECT_TRUE(decodes([&](Page& p) { p.entries[2].moved.resize(16, p.entries[2].moved[0]); }));
  EXPECT_FALSE(decodes([&](Page& p) { p.entries[2].moved.resize(17, p.entries[2].moved[0]); }));
  EXPECT_FALSE(decodes([&](Page& p) { p.entries[2].kind = ChunkEntry::Kind::stored; }));
  EXPECT_FALSE(decodes([&](Page& p) { p.entries[0].moved = p.entries[2].moved; }));
  EXPECT_FALSE(decodes([&](Page& p) { p.entries[2].moved.clear(); }));  // then it builds on nothing
}

TEST(Page, OrderOfMovedData) {
  const Bytes bytes = page_with_moved().encode(kSmallRegion);
  std::size_t at = 0;
  while (le16(bytes, at) != 5) at += 8 + le32(bytes, at + 4);
  for (const unsigned number : {0U, 1U, 4U, 0xFFFFU}) {  // instead of 1, before 2
    Bytes bad = bytes;
    store_le(bad, at + 8, static_cast<std::uint16_t>(number));
    EXPECT_EQ(Page::decode(bad, kSmallRegion).has_value(), number == 1) << number;
  }
  Bytes twice = bytes;
  store_le(twice, at + 8, std::uint16_t{2});
  EXPECT_FALSE(Page::decode(twice, kSmallRegion));
}

TEST(MovedData, IsLaidOverAllOrNothing) {
  const Bytes source(2048, std::byte{1});
  Bytes state(1024);
  EXPECT_TRUE(lay_over({0, {}, {{512, 1536, 512}}}, source, state));
  EXPECT_EQ(std::ranges::count(state, std::byte{1}), 512);
  EXPECT_EQ(state[511], std::byte{0});
  const Bytes before = state;
  EXPECT_FALSE(lay_over({0, {}, {{0, 0, 512}, {512, 0, 1024}}}, source, state));
  EXPECT_FALSE(lay_over({0, {}, {{0, 0, 512}, {0, 1536, 1024}}}, source, state));
  EXPECT_EQ(state, before);
}

TEST(Page, NumbersOfAMap) {
  const Bytes entries = section(2, 1, Bytes(4 * 64));
  const auto decode = [&](const Bytes& map) { return Page::decode(join({section(1, 1, map), entries}), kSmallRegion); };
  const unsigned units = 3 * 1024 + 2;  // 3074 = 0x82 0x18
  ASSERT_EQ(units, 3074U);
  EXPECT_TRUE(decode({}));
  EXPECT_EQ(decode(raw({0, 0x82, 0x18}))->used.front(), kSmallRegion);                  // all of it, ending inside a unit
  EXPECT_FALSE(decode(raw({0, 0x83, 0x18})));                                           // one more than there is
  EXPECT_FALSE(decode(raw({1, 0x82, 0x18})));
  EXPECT_TRUE(decode(raw({0x81, 0x18, 1})));                                            // the last unit alone
  EXPECT_FALSE(decode(raw({0x82, 0x18, 1})));                                           // behind the end
  EXPECT_FALSE(decode(raw({0, 0})));                                                    // empty range
  EXPECT_FALSE(decode(raw({0, 1, 0, 1})));                                              // touching ranges
  EXPECT_TRUE(decode(raw({0, 1, 1, 1})));
  EXPECT_FALSE(decode(raw({0})));                                                       // half a pair
  EXPECT_FALSE(decode(raw({0, 0x80})));                                                 // cut within a number
  EXPECT_TRUE(decode(raw({0, 0x81, 0x80, 0x00})));                                      // a long way to say 1
  EXPECT_FALSE(decode(raw({0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 1})));  // 2^63 - 1
  EXPECT_FALSE(decode(raw({1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F})));
  EXPECT_FALSE(decode(raw({0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 1})));  // 2^64 - 1
  EXPECT_FALSE(decode(Bytes(30, std::byte{0x80})));
}

TEST(Page, Sections) {
  const Bytes map = section(1, 1, raw({0, 1})), entries = section(2, 1, Bytes(4 * 64));
  EXPECT_TRUE(Page::decode(join({entries, map}), kSmallRegion));  // any order
  EXPECT_TRUE(Page::decode(join({map, section(99, 0, Bytes(7)), entries}), kSmallRegion));
  EXPECT_EQ(Page::decode(join({map, section(99, 1, {}), entries}), kSmallRegion).error().code, ErrorCode::unsupported);
  EXPECT_FALSE(Page::decode(join({map, map, entries}), kSmallRegion));
  EXPECT_FALSE(Page::decode(map, kSmallRegion));
  EXPECT_FALSE(Page::decode(entries, kSmallRegion));
  for (const std::size_t size : {0, 63, 64, 255, 257, 320})
    EXPECT_FALSE(Page::decode(join({map, section(2, 1, Bytes(size))}), kSmallRegion)) << size;
  Bytes long_one = join({map, entries});
  store_le(long_one, map.size() + 4, ~std::uint32_t{0});
  EXPECT_FALSE(Page::decode(long_one, kSmallRegion));
}

TEST(Page, ReservedBytesAndUnknownKindsOfEntries) {
  const Bytes map = section(1, 1, {});
  const auto with = [&](std::size_t at, unsigned value) {
    Bytes entries(4 * 64);
    entries[at] = static_cast<std::byte>(value);
    return Page::decode(join({map, section(2, 1, entries)}), kSmallRegion).has_value();
  };
  EXPECT_TRUE(with(0, 2));
  EXPECT_TRUE(with(2, 1));
  EXPECT_FALSE(with(0, 3));  // deltas are not defined yet
  EXPECT_FALSE(with(0, 255));
  EXPECT_FALSE(with(2, 2));
  for (const std::size_t at : {1, 3, 24, 25, 26, 27, 28, 29, 30, 31}) EXPECT_FALSE(with(64 + at, 1)) << at;
}

TEST(Directory, RoundTripAndHostile) {
  std::vector<PageRef> pages(3);
  pages[1] = {true, {0, 1, 77777, 500}, 123456, {}};
  pages[1].hash.fill(std::byte{2});
  const Bytes bytes = encode_directory(pages);
  const auto back = decode_directory(bytes, 3);
  ASSERT_TRUE(back);
  EXPECT_EQ(encode_directory(*back), bytes);
  EXPECT_TRUE(!back->at(0).present && back->at(1).present && back->at(1).used_bytes == 123456);
  for (const std::size_t regions : {0, 1, 2, 4, 1024}) EXPECT_FALSE(decode_directory(bytes, regions)) << regions;
  EXPECT_FALSE(decode_directory(ByteSpan(bytes).first(bytes.size() - 1), 3));
  Bytes bad = bytes;
  store_le(bad, 20, std::uint32_t{2});
  EXPECT_FALSE(decode_directory(bad, 3));
}

TEST(Extents, OfRegionsAndChunks) {
  EXPECT_EQ(region_count(0), 0U);
  EXPECT_EQ(region_count(1), 1U);
  EXPECT_EQ(region_count(kRegionBytes + 1), 2U);
  EXPECT_EQ(chunk_extent(kChunkBytes + 1, 1), (Extent{kChunkBytes, 1}));
  EXPECT_EQ(chunk_extent(kChunkBytes, 1), Extent{});
  EXPECT_EQ(chunk_extent(~std::uint64_t{0}, ~std::uint64_t{0}), Extent{});
  EXPECT_EQ(region_extent(~std::uint64_t{0}, ~std::uint64_t{0} / 2), Extent{});
}

using nlohmann::json;

Catalog sample_catalog() {
  Catalog catalog;
  catalog.created = 1;
  catalog.description = "d\xC3\xA9j\xC3\xA0";
  catalog.source.size_bytes = 10U << 20;
  catalog.source.path = "disk.raw";
  catalog.layout.table_sectors = {{0, Bytes(512)}};
  Area area;
  area.kind = AreaKind::drive;
  area.size_bytes = 10U << 20;
  area.fs.type = FsType::ntfs;
  LeftOutFile file;
  file.path = "\\pagefile.sys";
  file.kind = LeftOutFile::Kind::page;
  file.size_bytes = 4096;
  file.extents = ExtentSet({{8192, 4096}});
  area.left_out.push_back(file);
  area.directories.push_back({{0, 0, 4242, 99}, {}});
  catalog.areas = {area};
  catalog.part_bytes = {1U << 20, 2U << 20};
  catalog.links = {Link{}};
  return catalog;
}
json as_json(const Bytes& cbor) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(cbor.data());
  return json::from_cbor(data, data + cbor.size());
}
Result<Catalog> decode(const json& j) {
  const std::vector<std::uint8_t> cbor = json::to_cbor(j);
  return Catalog::decode(std::as_bytes(std::span(cbor)));
}

TEST(CatalogRecord, RoundTrip) {
  const Bytes bytes = sample_catalog().encode();
  const auto back = Catalog::decode(bytes);
  ASSERT_TRUE(back) << back.error().message();
  // The layout is read off the table sectors again; after that nothing changes any more.
  const Bytes again = back->encode();
  ASSERT_TRUE(Catalog::decode(again));
  EXPECT_TRUE(Catalog::decode(again)->encode() == again);
  EXPECT_EQ(back->description, sample_catalog().description);
  EXPECT_EQ(back->part_bytes, sample_catalog().part_bytes);
  EXPECT_EQ(back->areas[0].directories[0].place, sample_catalog().areas[0].directories[0].place);
  EXPECT_EQ(back->areas[0].left_out[0].extents, sample_catalog().areas[0].left_out[0].extents);
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(Catalog::decode(ByteSpan(bytes).first(size)));
  json more = as_json(bytes);
  more["later"] = {{"x", 1}};  // unknown keys are skipped
  EXPECT_TRUE(decode(more));
}

// Every value in the catalog replaced by values of every other type: an Error, or a sane catalog, never a crash.
void vary(json& all, json& at) {
  const json kept = at;
  for (const json& other : {json(nullptr), json(true), json(-1), json(~std::uint64_t{0}), json(1e300), json("text"), json::array(),
                            json::object(), json::array({1, 2, 3}), json::binary({1, 2})}) {
    at = other;
    if (const auto decoded = decode(all)) {
      EXPECT_LE(decoded->areas.size(), 1U);
    }
  }
  at = kept;
  if (!at.is_structured()) return;
  for (json& child : at) vary(all, child);
  if (!at.is_object()) return;
  for (const auto& [key, value] : kept.items()) {
    at.erase(key);
    EXPECT_FALSE(decode(all)) << "without " << key;
    at[key] = value;
  }
}

TEST(CatalogRecord, WrongTypesAndMissingKeys) {
  json all = as_json(sample_catalog().encode());
  // "kind" of the layout is there for people only.
  all["layout"].erase("kind");
  // The first images did not number their areas.
  all["areas"][0].erase("number");
  all.erase("sessions");
  vary(all, all);
}

TEST(CatalogRecord, AbsurdNumbers) {
  const json good = as_json(sample_catalog().encode());
  ASSERT_TRUE(decode(good));
  const auto changed = [&](const char* pointer, const json& value) {
    json bad = good;
    bad[json::json_pointer(pointer)] = value;
    return decode(bad).has_value();
  };
  for (const std::uint64_t sector : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{513}, std::uint64_t{131072}, std::uint64_t{1} << 32})
    EXPECT_FALSE(changed("/source/sector_bytes", sector)) << sector;
  EXPECT_FALSE(changed("/source/size_bytes", 1000));                    // the area leaves it
  EXPECT_FALSE(changed("/areas/0/start_byte", 512));
  EXPECT_FALSE(changed("/areas/0/size_bytes", ~std::uint64_t{0}));
  EXPECT_FALSE(changed("/areas/0/directories", json::array()));        // no index
  EXPECT_FALSE(changed("/areas/0/left_out/0/extents/0/1", std::uint64_t{1} << 40));
  EXPECT_FALSE(changed("/layout/table_sectors/0/start_sector", ~std::uint64_t{0} / 2));
  json many = good;
  for (int i = 0; i < 1100; ++i) many["areas"].push_back(good["areas"][0]);
  EXPECT_FALSE(decode(many));
  many = good;
  for (int i = 0; i < 3000; ++i) many["layout"]["table_sectors"].push_back({{"start_sector", i}, {"bytes", json::binary({0})}});
  EXPECT_FALSE(decode(many));
}

TEST(CatalogRecord, HostileCbor) {
  EXPECT_FALSE(Catalog::decode({}));
  EXPECT_FALSE(Catalog::decode(Bytes(1U << 20, std::byte{0x81})));        // arrays in arrays in arrays …
  EXPECT_FALSE(Catalog::decode(Bytes(1U << 20, std::byte{0xA1})));
  EXPECT_FALSE(Catalog::decode(Bytes(1U << 20, std::byte{0x9F})));        // without a length
  EXPECT_FALSE(Catalog::decode(Bytes(1U << 20, std::byte{0xC1})));        // tags on tags
  EXPECT_FALSE(Catalog::decode(raw({0x9B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})));  // 2^64 - 1 items
  EXPECT_FALSE(Catalog::decode(raw({0xBB, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 1})));                 // twice as many overflow
  EXPECT_FALSE(Catalog::decode(raw({0x7B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 'a'})));
  Bytes wide = raw({0x9A, 0x00, 0x80, 0x00, 0x00});  // eight million numbers
  wide.resize(wide.size() + 0x800000);
  EXPECT_FALSE(cbor_is_modest(wide, 8, 1000000));
  EXPECT_TRUE(cbor_is_modest(wide, 8, 0x800001));
  EXPECT_FALSE(cbor_is_modest(wide, 8, 0x800000));
}

}  // namespace
}  // namespace tintype
