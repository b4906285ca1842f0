// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/page.h"

#include <algorithm>

namespace tintype {
namespace {

constexpr std::size_t kRecordBytes = 64;
constexpr std::uint16_t kCritical = 1;
constexpr std::size_t kPlaceBytes = 20;
enum Section : std::uint16_t { kUsed = 1, kEntries = 2, kUnreadable = 3, kBases = 4 };

void append_varint(Bytes& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<std::byte>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<std::byte>(value));
}

Result<std::uint64_t> read_varint(ByteSpan bytes, std::size_t& at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 63 && at < bytes.size(); shift += 7) {
    const std::uint64_t byte = u8(bytes, at++);
    value |= (byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  return fail(ErrorCode::corrupt, "a number in the index is cut off or too large");
}

void append_section(Bytes& out, Section tag, std::uint16_t flags, ByteSpan content) {
  const std::size_t at = out.size();
  out.resize(at + 8);
  store_le(out, at, static_cast<std::uint16_t>(tag));
  store_le(out, at + 2, flags);
  store_le(out, at + 4, static_cast<std::uint32_t>(content.size()));
  out.insert(out.end(), content.begin(), content.end());
}

Bytes encode_extents(std::span<const Extent> extents, Extent region) {
  Bytes out;
  std::uint64_t at = region.start;
  for (const Extent& extent : extents) {
    append_varint(out, (extent.start - at) / kMapUnitBytes);
    append_varint(out, div_round_up(extent.length, kMapUnitBytes));
    at = extent.start + round_up(extent.length, kMapUnitBytes);
  }
  return out;
}

Result<std::vector<Extent>> decode_extents(ByteSpan bytes, Extent region) {
  std::vector<Extent> out;
  std::uint64_t unit = 0;
  const std::uint64_t units = div_round_up(region.length, kMapUnitBytes);
  for (std::size_t at = 0; at < bytes.size();) {
    const std::uint64_t gap = TRY(read_varint(bytes, at));
    const std::uint64_t length = TRY(read_varint(bytes, at));
    // Ranges that touch would be one: this halves what a hostile map can make us hold.
    if (gap == 0 && !out.empty()) return fail(ErrorCode::corrupt, "the used map in the index is malformed");
    if (gap > units - unit || length == 0 || length > units - unit - gap)
      return fail(ErrorCode::corrupt, "the used map in the index leaves its region");
    unit += gap;
    const std::uint64_t start = unit * kMapUnitBytes;
    out.push_back({region.start + start, std::min(length * kMapUnitBytes, region.length - start)});
    unit += length;
  }
  return out;
}

void encode_entry(const ChunkEntry& entry, MutableByteSpan out) {
  out[0] = static_cast<std::byte>(entry.kind);
  store_le(out, 2, static_cast<std::uint16_t>(entry.unreadable));
  store_le(out, 4, entry.place.link);
  store_le(out, 8, entry.place.part);
  store_le(out, 12, entry.place.bytes);
  store_le(out, 16, entry.place.offset);
  std::copy(entry.hash.begin(), entry.hash.end(), out.subspan(32, 32).begin());
}

Result<ChunkEntry> decode_entry(ByteSpan bytes) {
  ChunkEntry entry;
  if (u8(bytes, 0) > static_cast<std::uint8_t>(ChunkEntry::Kind::delta))
    return fail(ErrorCode::unsupported, "the index has a kind of chunk this version does not know", "use a newer tintype");
  if (u8(bytes, 1) != 0 || (le16(bytes, 2) & ~1U) != 0 || le64(bytes, 24) != 0)
    return fail(ErrorCode::unsupported, "the index has a chunk with a flag this version does not know", "use a newer tintype");
  entry.kind = static_cast<ChunkEntry::Kind>(u8(bytes, 0));
  entry.unreadable = (le16(bytes, 2) & 1) != 0;
  entry.place = {le32(bytes, 4), le32(bytes, 8), le64(bytes, 16), le32(bytes, 12)};
  std::copy_n(bytes.begin() + 32, 32, entry.hash.begin());
  return entry;
}

Bytes encode_bases(std::span<const ChunkEntry> entries) {
  Bytes out;
  for (const ChunkEntry& entry : entries) {
    if (entry.kind != ChunkEntry::Kind::delta) continue;
    out.push_back(static_cast<std::byte>(entry.bases.size()));
    for (const FramePlace& place : entry.bases) {
      const std::size_t at = out.size();
      out.resize(at + kPlaceBytes);
      store_le(out, at, place.link);
      store_le(out, at + 4, place.part);
      store_le(out, at + 8, place.offset);
      store_le(out, at + 16, place.bytes);
    }
  }
  return out;
}

// One list for each delta, in the order of the entries.
Result<void> decode_bases(ByteSpan bytes, std::span<ChunkEntry> entries) {
  std::size_t at = 0;
  for (ChunkEntry& entry : entries) {
    if (entry.kind != ChunkEntry::Kind::delta) continue;
    const std::size_t count = at < bytes.size() ? u8(bytes, at++) : 0;
    if (count == 0 || count > kMaxDeltaBases || bytes.size() - at < count * kPlaceBytes)
      return fail(ErrorCode::corrupt, "the index does not say what a changed chunk builds on");
    for (std::size_t i = 0; i < count; ++i, at += kPlaceBytes)
      entry.bases.push_back({le32(bytes, at), le32(bytes, at + 4), le64(bytes, at + 8), le32(bytes, at + 16)});
  }
  if (at != bytes.size()) return fail(ErrorCode::corrupt, "the index lists more than its chunks build on");
  return {};
}

Extent piece(std::uint64_t area_bytes, std::uint64_t number, std::uint64_t size) {
  const auto start = checked_mul(number, size);
  if (!start || *start >= area_bytes) return {};
  return {*start, std::min(size, area_bytes - *start)};
}

}  // namespace

Extent region_extent(std::uint64_t area_bytes, std::uint64_t number) { return piece(area_bytes, number, kRegionBytes); }
std::uint64_t region_count(std::uint64_t area_bytes) { return div_round_up(area_bytes, kRegionBytes); }
Extent chunk_extent(std::uint64_t area_bytes, std::uint64_t number) { return piece(area_bytes, number, kChunkBytes); }

void Page::seen_from(std::uint32_t link) {
  const auto move = [link](FramePlace& place) {
    if (place.link == 0) place.link = link;
  };
  for (ChunkEntry& entry : entries) {
    if (entry.has_frame()) move(entry.place);
    for (FramePlace& base : entry.bases) move(base);
  }
}

Bytes Page::encode(Extent region) const {
  Bytes out;
  append_section(out, kUsed, kCritical, encode_extents(used, region));
  Bytes records(entries.size() * kRecordBytes);
  for (std::size_t i = 0; i < entries.size(); ++i)
    encode_entry(entries[i], MutableByteSpan(records).subspan(i * kRecordBytes, kRecordBytes));
  append_section(out, kEntries, kCritical, records);
  if (const Bytes bases = encode_bases(entries); !bases.empty()) append_section(out, kBases, kCritical, bases);
  if (!unreadable.empty()) append_section(out, kUnreadable, 0, encode_extents(unreadable, region));
  return out;
}

Result<Page> Page::decode(ByteSpan bytes, Extent region) {
  Page page;
  const std::size_t chunks = static_cast<std::size_t>(div_round_up(region.length, kChunkBytes));
  unsigned seen = 0;  // a bit for each known section
  ByteSpan bases;     // read when the entries are known
  for (std::size_t at = 0; at < bytes.size();) {
    if (bytes.size() - at < 8) return fail(ErrorCode::corrupt, "a page of the index is cut off");
    const std::uint16_t tag = le16(bytes, at);
    const std::uint16_t flags = le16(bytes, at + 2);
    const std::size_t length = le32(bytes, at + 4);
    at += 8;
    if (length > bytes.size() - at) return fail(ErrorCode::corrupt, "a section of the index leaves its page");
    const ByteSpan content = bytes.subspan(at, length);
    at += length;
    if (tag <= kBases) {
      if ((seen & (1U << tag)) != 0) return fail(ErrorCode::corrupt, "a page of the index has a section twice");
      seen |= 1U << tag;
    }
    switch (tag) {
      case kUsed: page.used = TRY(decode_extents(content, region)); break;
      case kUnreadable: page.unreadable = TRY(decode_extents(content, region)); break;
      case kBases: bases = content; break;
      case kEntries:
        if (length != chunks * kRecordBytes) return fail(ErrorCode::corrupt, "a page of the index has the wrong number of entries");
        page.entries.reserve(chunks);
        for (std::size_t i = 0; i < chunks; ++i)
          page.entries.push_back(TRY(decode_entry(content.subspan(i * kRecordBytes, kRecordBytes))));
        break;
      default:
        if ((flags & kCritical) != 0)
          return fail(ErrorCode::unsupported, "the index has a section this version does not know", "use a newer tintype");
    }
  }
  if (page.entries.size() != chunks || (seen & (1U << kUsed)) == 0)
    return fail(ErrorCode::corrupt, "a page of the index is incomplete");
  TRY(decode_bases(bases, page.entries));
  return page;
}

Bytes encode_directory(std::span<const PageRef> pages) {
  Bytes out(pages.size() * kRecordBytes);
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const MutableByteSpan record = MutableByteSpan(out).subspan(i * kRecordBytes, kRecordBytes);
    const PageRef& page = pages[i];
    if (!page.present) continue;
    store_le(record, 0, page.place.link);
    store_le(record, 4, page.place.part);
    store_le(record, 8, page.place.offset);
    store_le(record, 16, page.place.bytes);
    store_le(record, 20, std::uint32_t{1});
    store_le(record, 24, page.used_bytes);
    std::copy(page.hash.begin(), page.hash.end(), record.subspan(32, 32).begin());
  }
  return out;
}

Result<std::vector<PageRef>> decode_directory(ByteSpan bytes, std::size_t regions) {
  if (bytes.size() != regions * kRecordBytes)
    return fail(ErrorCode::corrupt, "a directory of the index has the wrong number of records");
  std::vector<PageRef> pages(regions);
  for (std::size_t i = 0; i < regions; ++i) {
    const ByteSpan record = bytes.subspan(i * kRecordBytes, kRecordBytes);
    PageRef& page = pages[i];
    if (le32(record, 20) > 1)
      return fail(ErrorCode::unsupported, "the index has a page with a flag this version does not know", "use a newer tintype");
    page.present = le32(record, 20) == 1;
    page.place = {le32(record, 0), le32(record, 4), le64(record, 8), le32(record, 16)};
    page.used_bytes = le64(record, 24);
    std::copy_n(record.begin() + 32, 32, page.hash.begin());
  }
  return pages;
}

}  // namespace tintype
