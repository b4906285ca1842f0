// SPDX-License-Identifier: GPL-3.0-or-later
// The records of the container, each straight into its decoder; the first byte chooses which. Checksums are put right first, so
// that the fuzzer gets past them. What decodes must encode to the same again.
#include <xxhash.h>

#include <cstdlib>
#include <iostream>

#include "image/catalog.h"
#include "image/frame.h"
#include "image/page.h"

namespace {
using namespace tintype;

void must(bool holds, const char* what) {
  if (holds) return;
  std::cerr << what << "\n";
  std::abort();
}

void fix_sum(MutableByteSpan record) {
  XXH128_canonical_t sum;
  const std::size_t at = record.size() - 16;
  XXH128_canonicalFromHash(&sum, XXH3_128bits(record.data(), at));
  std::memcpy(record.data() + at, sum.digest, 16);
}

void part_header(Bytes bytes) {
  bytes.resize(kPartHeaderBytes);
  store_le(bytes, 0, std::uint64_t{0x1A45505954'4E4954});
  fix_sum(bytes);
  const auto header = PartHeader::decode(bytes, "x");
  if (!header) return;
  for (const KeySlot& slot : header->slots) must(slot.memory_kib <= kMaxKeyMemoryKib, "key memory");
  must(PartHeader::decode(header->encode(), "x").has_value(), "a header does not come back");
}

void trailer(Bytes bytes) {
  bytes.resize(kTrailerBytes);
  fix_sum(bytes);
  if (const auto record = Trailer::decode(bytes, "x")) must(std::ranges::equal(record->encode(), bytes), "a trailer does not come back");
}

void frame(Bytes bytes) {
  if (bytes.size() < kFrameHeaderBytes) return;
  store_le(bytes, 0, std::uint64_t{0x319E0A0D465454D7});
  store_le(bytes, 12, static_cast<std::uint32_t>(bytes.size() - kFrameHeaderBytes));
  store_le(bytes, 48, frame_checksum(ByteSpan(bytes).subspan(kFrameHeaderBytes)));
  store_le(bytes, 56, frame_checksum(ByteSpan(bytes).first(56)));
  FrameOpener opener(SecretKey{});
  Bytes out;
  const auto opened = opener.open(bytes, kChunkBytes, out);
  must(out.size() <= kChunkBytes, "a frame holds more than asked for");
  if (opened) must(out.size() == opened->header.raw_bytes, "a frame's length");
}

void page(ByteSpan bytes) {
  const Extent region{kRegionBytes, 5 * kChunkBytes + 700};
  const auto decoded = Page::decode(bytes, region);
  if (!decoded) return;
  must(decoded->entries.size() == 6, "entries");
  std::uint64_t at = region.start;
  for (const Extent& extent : decoded->used) {
    must(extent.start >= at && extent.length > 0 && extent.end() <= region.end(), "a used map that leaves its region");
    at = extent.end();
  }
  const auto again = Page::decode(decoded->encode(region), region);
  must(again && again->used == decoded->used && again->unreadable == decoded->unreadable && again->entries == decoded->entries,
       "a page does not come back");
}

void directory(ByteSpan bytes) {
  if (bytes.size() / 64 > kRegionsPerDirectory) return;
  if (const auto pages = decode_directory(bytes, bytes.size() / 64))
    must(decode_directory(encode_directory(*pages), pages->size()).has_value(), "a directory does not come back");
}

void catalog(ByteSpan bytes) {
  for (const auto stage : {Catalog::Stage::complete, Catalog::Stage::prologue}) {
    const auto decoded = Catalog::decode(bytes, stage);
    if (!decoded) continue;
    for (const Area& area : decoded->areas)
      must(fits(area.start_byte, area.size_bytes, decoded->source.size_bytes), "an area leaves the drive");
    must(Catalog::decode(decoded->encode(), stage).has_value(), "a catalog does not come back");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteSpan rest(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  switch (data[0] % 6) {
    case 0: part_header({rest.begin(), rest.end()}); break;
    case 1: trailer({rest.begin(), rest.end()}); break;
    case 2: frame({rest.begin(), rest.end()}); break;
    case 3: page(rest); break;
    case 4: directory(rest); break;
    default: catalog(rest); break;
  }
  return 0;
}
