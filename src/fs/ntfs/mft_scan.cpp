// SPDX-License-Identifier: GPL-3.0-or-later
// One pass over all records, in large sequential reads.
#include <fmt/format.h>

#include <algorithm>

#include "fs/ntfs/mft.h"

namespace tintype::ntfs {
namespace {

constexpr std::size_t kChunkBytes = 1024 * 1024;

}  // namespace

Result<void> Mft::scan(const Visit& visit) const {
  const Stream& data = *self_.find(kData);
  const Stream& bitmap = *self_.find(kBitmap);
  const std::size_t record_bytes = boot_.record_bytes;
  const std::uint64_t initialized = data.initialized_bytes / record_bytes;
  const std::uint64_t allocated = data.runs.clusters() * boot_.cluster_bytes / record_bytes;
  const std::uint64_t per_chunk = kChunkBytes / record_bytes;  // a multiple of 8
  Bytes chunk;
  Bytes bits(per_chunk / 8);
  for (std::uint64_t first = 0; first < allocated; first += per_chunk) {
    const std::uint64_t count = std::min(per_chunk, allocated - first);
    chunk.resize(count * record_bytes);
    TRY(data.runs.read(*drive_, boot_.cluster_bytes, first * record_bytes, chunk));
    std::ranges::fill(bits, std::byte{0});
    if (first / 8 < bitmap.data_bytes)
      TRY(read(bitmap, first / 8,
               MutableByteSpan(bits).first(std::min<std::uint64_t>(bits.size(), bitmap.data_bytes - first / 8))));
    for (std::uint64_t i = 0; i < count; ++i) {
      const MutableByteSpan bytes = MutableByteSpan(chunk).subspan(i * record_bytes, record_bytes);
      const bool named_file = as_text(bytes.first(4)) == "FILE";
      const bool in_use = named_file && (le16(bytes, 22) & kInUse);
      const bool bit_set = (u8(bits, i / 8) >> (i % 8)) & 1;
      if (!in_use && !bit_set) continue;
      // Behind the initialized part lies what was never written: stale records there may be anything, so they are
      // looked at but not relied on. The same goes for a record whose flag and bit disagree.
      const bool must_be_sane = first + i < initialized && (in_use || !named_file);
      const Result<Record> record = parse_record(bytes);
      if (!record && !must_be_sane) continue;
      if (!record)
        return fail(ErrorCode::corrupt, fmt::format("record {} of $MFT is damaged", first + i));
      const Result<void> visited = visit(first + i, *record);
      if (!visited && must_be_sane)
        return fail(Error(visited.error()).within(fmt::format("record {} of $MFT", first + i)));
    }
  }
  return {};
}

}  // namespace tintype::ntfs
