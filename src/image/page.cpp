// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/page.h"

#include <algorithm>
#include <optional>

namespace tintype {
namespace {

constexpr std::size_t kRecordBytes = 64;
constexpr std::uint16_t kCritical = 1;
constexpr std::size_t kPlaceBytes = 20;
constexpr std::size_t kRunBytes = 6;
enum Section : std::uint16_t { kUsed = 1, kEntries = 2, kUnreadable = 3, kBases = 4, kMoved = 5 };

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

void append_places(Bytes& out, std::span<const FramePlace> places) {
  out.push_back(static_cast<std::byte>(places.size()));
  for (const FramePlace& place : places) {
    const std::size_t at = out.size();
    out.resize(at + kPlaceBytes);
    store_le(out, at, place.link);
    store_le(out, at + 4, place.part);
    store_le(out, at + 8, place.offset);
    store_le(out, at + 16, place.bytes);
  }
}

// At most `most` of them; nothing if the bytes do not hold what they say.
std::optional<std::vector<FramePlace>> read_places(ByteSpan bytes, std::size_t& at, std::size_t most) {
  const std::size_t count = at < bytes.size() ? u8(bytes, at++) : most + 1;
  if (count > most || bytes.size() - at < count * kPlaceBytes) return std::nullopt;
  std::vector<FramePlace> places;
  places.reserve(count);
  for (std::size_t i = 0; i < count; ++i, at += kPlaceBytes)
    places.push_back({le32(bytes, at), le32(bytes, at + 4), le64(bytes, at + 8), le32(bytes, at + 16)});
  return places;
}

Bytes encode_bases(std::span<const ChunkEntry> entries) {
  Bytes out;
  for (const ChunkEntry& entry : entries)
    if (entry.kind == ChunkEntry::Kind::delta) append_places(out, entry.bases);
  return out;
}

// One list for each delta, in the order of the entries. What is moved is known already.
Result<void> decode_bases(ByteSpan bytes, std::span<ChunkEntry> entries) {
  std::size_t at = 0;
  for (ChunkEntry& entry : entries) {
    if (entry.kind != ChunkEntry::Kind::delta) continue;
    auto bases = read_places(bytes, at, kMaxDeltaBases);
    if (!bases || (bases->empty() && entry.moved.empty()))
      return fail(ErrorCode::corrupt, "the index does not say what a changed chunk builds on");
    entry.bases = std::move(*bases);
  }
  if (at != bytes.size()) return fail(ErrorCode::corrupt, "the index lists more than its chunks build on");
  return {};
}

void append_u16(Bytes& out, std::uint64_t value) {
  out.resize(out.size() + 2);
  store_le(out, out.size() - 2, static_cast<std::uint16_t>(value));
}

Bytes encode_moved(std::span<const ChunkEntry> entries) {
  Bytes out;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].moved.empty()) continue;
    append_u16(out, i);
    out.push_back(static_cast<std::byte>(entries[i].moved.size()));
    for (const MovedData& data : entries[i].moved) {
      append_varint(out, data.chunk);
      append_places(out, data.frames);
      out.push_back(static_cast<std::byte>(data.runs.size()));
      for (const MovedRun& run : data.runs)
        for (const std::uint32_t bytes : {run.to, run.from, run.bytes}) append_u16(out, bytes / kMapUnitBytes);
    }
  }
  return out;
}

// Inside a whole chunk; that the last one of an area is shorter is seen when it is read.
bool is_inside_chunk(const MovedRun& run) {
  return run.bytes > 0 && run.bytes <= kChunkBytes && run.to <= kChunkBytes - run.bytes && run.from <= kChunkBytes - run.bytes;
}

Result<MovedData> decode_moved_data(ByteSpan bytes, std::size_t& at, std::size_t most_runs) {
  const auto bad = [] { return fail(ErrorCode::corrupt, "the index does not say where moved data comes from"); };
  MovedData data;
  data.chunk = TRY(read_varint(bytes, at));
  auto frames = read_places(bytes, at, kMaxDeltaBases + 1);
  if (!frames || frames->empty() || at >= bytes.size()) return bad();
  data.frames = std::move(*frames);
  const std::size_t runs = u8(bytes, at++);
  if (runs == 0 || runs > most_runs || bytes.size() - at < runs * kRunBytes) return bad();
  data.runs.reserve(runs);
  for (std::size_t i = 0; i < runs; ++i, at += kRunBytes) {
    data.runs.push_back({le16(bytes, at) * kMapUnitBytes, le16(bytes, at + 2) * kMapUnitBytes, le16(bytes, at + 4) * kMapUnitBytes});
    if (!is_inside_chunk(data.runs.back())) return bad();
  }
  return data;
}

// Only entries that have some, ascending.
Result<void> decode_moved(ByteSpan bytes, std::span<ChunkEntry> entries) {
  for (std::size_t at = 0, next = 0; at < bytes.size();) {
    const std::size_t index = bytes.size() - at >= 3 ? le16(bytes, at) : entries.size();
    if (index < next || index >= entries.size() || entries[index].kind != ChunkEntry::Kind::delta)
      return fail(ErrorCode::corrupt, "the index has moved data for a chunk that takes none");
    const std::size_t count = u8(bytes, at + 2);
    at += 3;
    next = index + 1;
    if (count == 0 || count > kMaxMovedFrom) return fail(ErrorCode::corrupt, "the index takes moved data from too many chunks");
    std::size_t runs = kMaxMovedRuns;
    for (std::size_t i = 0; i < count; ++i) {
      entries[index].moved.push_back(TRY(decode_moved_data(bytes, at, runs)));
      runs -= entries[index].moved.back().runs.size();
    }
  }
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

bool lay_over(const MovedData& data, ByteSpan source, MutableByteSpan state) {
  for (const MovedRun& run : data.runs)
    if (!fits(run.from, run.bytes, source.size()) || !fits(run.to, run.bytes, state.size())) return false;
  for (const MovedRun& run : data.runs) std::memcpy(state.data() + run.to, source.data() + run.from, run.bytes);
  return true;
}

void Page::seen_from(std::uint32_t link) {
  const auto move = [link](FramePlace& place) {
    if (place.link == 0) place.link = link;
  };
  for (ChunkEntry& entry : entries) entry.each_place(move);
}

Bytes Page::encode(Extent region) const {
  Bytes out;
  append_section(out, kUsed, kCritical, encode_extents(used, region));
  Bytes records(entries.size() * kRecordBytes);
  for (std::size_t i = 0; i < entries.size(); ++i)
    encode_entry(entries[i], MutableByteSpan(records).subspan(i * kRecordBytes, kRecordBytes));
  append_section(out, kEntries, kCritical, records);
  if (const Bytes bases = encode_bases(entries); !bases.empty()) append_section(out, kBases, kCritical, bases);
  if (const Bytes moved = encode_moved(entries); !moved.empty()) append_section(out, kMoved, kCritical, moved);
  if (!unreadable.empty()) append_section(out, kUnreadable, 0, encode_extents(unreadable, region));
  return out;
}

Result<Page> Page::decode(ByteSpan bytes, Extent region) {
  Page page;
  const std::size_t chunks = static_cast<std::size_t>(div_round_up(region.length, kChunkBytes));
  unsigned seen = 0;  // a bit for each known section
  ByteSpan bases, moved;  // read when the entries are known
  for (std::size_t at = 0; at < bytes.size();) {
    if (bytes.size() - at < 8) return fail(ErrorCode::corrupt, "a page of the index is cut off");
    const std::uint16_t tag = le16(bytes, at);
    const std::uint16_t flags = le16(bytes, at + 2);
    const std::size_t length = le32(bytes, at + 4);
    at += 8;
    if (length > bytes.size() - at) return fail(ErrorCode::corrupt, "a section of the index leaves its page");
    const ByteSpan content = bytes.subspan(at, length);
    at += length;
    if (tag <= kMoved) {
      if ((seen & (1U << tag)) != 0) return fail(ErrorCode::corrupt, "a page of the index has a section twice");
      seen |= 1U << tag;
    }
    switch (tag) {
      case kUsed: page.used = TRY(decode_extents(content, region)); break;
      case kUnreadable: page.unreadable = TRY(decode_extents(content, region)); break;
      case kBases: bases = content; break;
      case kMoved: moved = content; break;
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
  TRY(decode_moved(moved, page.entries));
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
