// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/ntfs/mft_walk.h"

#include <algorithm>

namespace tintype::ntfs {
namespace {

constexpr std::uint64_t kChunkBytes = 1024 * 1024;

}  // namespace

std::vector<Extent> places_of(const RunList& runs, std::uint64_t cluster_bytes, Extent range) {
  std::vector<Extent> out;
  const auto& all = runs.runs();
  auto run = std::ranges::upper_bound(all, range.start / cluster_bytes, {}, &Run::vcn);
  for (run = run == all.begin() ? run : run - 1; run != all.end() && run->vcn <= (range.end() - 1) / cluster_bytes; ++run) {
    if (!run->lcn) continue;
    const std::uint64_t first = run->vcn * cluster_bytes;
    const std::uint64_t from = std::max(range.start, first);
    const std::uint64_t to = std::min(range.end(), first + run->length * cluster_bytes);
    if (from < to) out.push_back({*run->lcn * cluster_bytes + from - first, to - from});
  }
  return out;
}

std::uint64_t record_count(const Mft& mft) {
  const Stream& data = *mft.self().find(kData);
  return std::min({data.data_bytes, data.initialized_bytes, mft.boot().clusters_end()}) / mft.boot().record_bytes;
}

void walk_records(const Mft& mft, const RecordVisit& visit) {
  const Stream& data = *mft.self().find(kData);
  const std::uint64_t cluster_bytes = mft.boot().cluster_bytes;
  const std::uint64_t record_bytes = mft.boot().record_bytes;
  const std::uint64_t count = record_count(mft);
  Bytes chunk;
  for (std::uint64_t first = 0; first < count; first += kChunkBytes / record_bytes) {
    const std::uint64_t here = std::min(kChunkBytes / record_bytes, count - first);
    chunk.resize(static_cast<std::size_t>(here * record_bytes));
    const bool whole = data.runs.read(mft.drive(), cluster_bytes, first * record_bytes, chunk).has_value();
    for (std::uint64_t i = 0; i < here; ++i) {
      const MutableByteSpan bytes = MutableByteSpan(chunk).subspan(static_cast<std::size_t>(i * record_bytes), static_cast<std::size_t>(record_bytes));
      // One bad sector must not hide the other records of its chunk.
      if (!whole && !data.runs.read(mft.drive(), cluster_bytes, (first + i) * record_bytes, bytes)) {
        visit(first + i, nullptr);
        continue;
      }
      if (as_text(bytes.first(4)) == "FILE" && !(le16(bytes, 22) & kInUse)) continue;
      const auto record = parse_record(bytes);
      visit(first + i, record ? &*record : nullptr);
    }
  }
}

}  // namespace tintype::ntfs
