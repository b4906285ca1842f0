// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/exfat/bitmap.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "base/text.h"

namespace tintype::exfat {
namespace {

constexpr std::size_t kEntryBytes = 32;
constexpr std::uint8_t kEndOfDirectory = 0x00, kBitmapEntry = 0x81, kUpcaseEntry = 0x82, kLabelEntry = 0x83;
constexpr std::size_t kFirstCluster = 20, kDataLength = 24;
constexpr std::uint64_t kMaxRootBytes = std::uint64_t{256} << 20;  // of any directory, by the specification
constexpr std::uint32_t kEndOfChain = 0xFFFFFFFF;
constexpr std::size_t kWindowBytes = 256 * 1024;

// The clusters that a chain visits, `wanted` of them, or up to its end if `wanted` is 0 (`most` at most).
Result<std::vector<Extent>> follow(Drive& partition, const Geometry& g, std::uint32_t cluster, std::uint64_t wanted,
                                   std::uint64_t most, const char* what) {
  std::vector<Extent> pieces;
  for (std::uint64_t n = 0;;) {
    if (!g.holds(cluster)) return fail(ErrorCode::corrupt, fmt::format("the cluster chain of {} leaves the volume", what));
    const Extent piece{g.offset_of(cluster), g.cluster_bytes};
    if (!pieces.empty() && pieces.back().end() == piece.start)
      pieces.back().length += piece.length;
    else
      pieces.push_back(piece);
    if (++n == wanted) return pieces;
    if (n > most || pieces.size() > Bitmap::kMaxPieces)
      return fail(ErrorCode::corrupt, fmt::format("the cluster chain of {} does not end", what));
    std::array<std::byte, 4> entry{};
    TRY(partition.read(g.fat_offset + std::uint64_t{cluster} * 4, entry));
    cluster = le32(entry, 0);
    if (cluster == kEndOfChain) {
      if (wanted == 0) return pieces;
      return fail(ErrorCode::corrupt, fmt::format("the cluster chain of {} is too short", what));
    }
  }
}

Result<void> take_bitmap(Drive& partition, const Geometry& g, ByteSpan entry, Root& root) {
  const std::uint64_t needed = div_round_up(g.cluster_count, 8), length = le64(entry, kDataLength);
  if (length != needed)
    return fail(ErrorCode::corrupt, fmt::format("the allocation bitmap has {} bytes instead of {}", length, needed));
  if (root.bitmaps.size() == g.fat_copies) return fail(ErrorCode::corrupt, "there are too many allocation bitmaps");
  Bitmap bitmap;
  bitmap.bytes = needed;
  bitmap.pieces = TRY(follow(partition, g, le32(entry, kFirstCluster), div_round_up(needed, g.cluster_bytes), needed,
                             "the allocation bitmap"));
  root.must_be_allocated.insert(root.must_be_allocated.end(), bitmap.pieces.begin(), bitmap.pieces.end());
  root.bitmaps.push_back(std::move(bitmap));
  return {};
}

Result<void> take_upcase(Drive& partition, const Geometry& g, ByteSpan entry, Root& root) {
  const std::uint64_t length = le64(entry, kDataLength);
  if (length == 0 || length > 2 * 65536) return fail(ErrorCode::corrupt, "the up-case table has an impossible size");
  const auto pieces = TRY(follow(partition, g, le32(entry, kFirstCluster), div_round_up(length, g.cluster_bytes), length,
                                 "the up-case table"));
  root.must_be_allocated.insert(root.must_be_allocated.end(), pieces.begin(), pieces.end());
  root.upcase = {pieces, length};
  return {};
}

class BitmapRuns final : public ClusterRuns {
 public:
  BitmapRuns(std::shared_ptr<Drive> partition, const Geometry& g, std::vector<Bitmap> bitmaps)
      : partition_(std::move(partition)), clusters_(g.cluster_count), bitmaps_(std::move(bitmaps)) {}

  Result<std::optional<ClusterRun>> next() override {
    while (at_ < clusters_) {
      if (at_ >= window_end_) TRY(load());
      const std::uint64_t limit = window_end_;
      while (at_ < limit && !used(at_)) at_ += byte(at_) == 0 && at_ % 8 == 0 && limit - at_ >= 8 ? 8 : 1;
      const std::uint64_t first = at_;
      while (at_ < limit && used(at_)) at_ += byte(at_) == 0xFF && at_ % 8 == 0 && limit - at_ >= 8 ? 8 : 1;
      if (at_ != first) return ClusterRun{first, at_ - first};
    }
    return std::nullopt;
  }

 private:
  std::uint8_t byte(std::uint64_t cluster) const { return u8(window_, static_cast<std::size_t>((cluster - window_start_) / 8)); }
  bool used(std::uint64_t cluster) const { return (byte(cluster) >> (cluster % 8) & 1) != 0; }

  Result<void> load() {
    window_start_ = at_;  // a multiple of 8: windows are whole bytes
    const std::uint64_t position = at_ / 8;
    window_.assign(static_cast<std::size_t>(std::min<std::uint64_t>(kWindowBytes, div_round_up(clusters_, 8) - position)),
                   std::byte{0});
    Bytes one(window_.size());
    for (const Bitmap& bitmap : bitmaps_) {
      TRY(bitmap.read(*partition_, position, one));
      for (std::size_t i = 0; i < one.size(); ++i) window_[i] |= one[i];
    }
    window_end_ = std::min<std::uint64_t>(clusters_, at_ + window_.size() * 8);
    return {};
  }

  std::shared_ptr<Drive> partition_;
  std::uint64_t clusters_;
  std::vector<Bitmap> bitmaps_;
  Bytes window_;
  std::uint64_t at_ = 0, window_start_ = 0, window_end_ = 0;
};

}  // namespace

Result<void> Bitmap::read(Drive& partition, std::uint64_t at, MutableByteSpan out) const {
  for (const Extent& piece : pieces) {
    if (out.empty()) return {};
    if (at >= piece.length) {
      at -= piece.length;
      continue;
    }
    const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), piece.length - at));
    TRY(partition.read(piece.start + at, out.first(n)));
    out = out.subspan(n);
    at = 0;
  }
  if (!out.empty()) return fail(ErrorCode::corrupt, "the allocation bitmap is too short");
  return {};
}

Result<Root> read_root(Drive& partition, const Geometry& g) {
  Root root;
  const auto pieces =
      TRY(follow(partition, g, g.root_cluster, 0, div_round_up(kMaxRootBytes, g.cluster_bytes), "the root directory"));
  root.must_be_allocated = pieces;
  Bytes block;
  bool upcase = false, ended = false;
  for (const Extent& piece : pieces) {
    for (std::uint64_t at = 0; at < piece.length && !ended; at += block.size()) {
      block.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kWindowBytes, piece.length - at)));
      TRY(partition.read(piece.start + at, block));
      for (std::size_t i = 0; i + kEntryBytes <= block.size() && !ended; i += kEntryBytes) {
        const ByteSpan entry = ByteSpan(block).subspan(i, kEntryBytes);
        const std::uint8_t type = u8(entry, 0);
        ended = type == kEndOfDirectory;
        if (type == kBitmapEntry) TRY(take_bitmap(partition, g, entry, root));
        if (type == kUpcaseEntry && !std::exchange(upcase, true)) TRY(take_upcase(partition, g, entry, root));
        // Up to 11 UTF-16 units, counted in byte 1.
        if (type == kLabelEntry && root.label.empty())
          root.label = utf8_from_utf16le(entry.subspan(2, 2 * std::min<std::size_t>(u8(entry, 1), 11)));
      }
    }
    if (ended) break;
  }
  if (root.bitmaps.empty()) return fail(ErrorCode::corrupt, "the root directory names no allocation bitmap");
  return root;
}

std::unique_ptr<ClusterRuns> allocated_runs(std::shared_ptr<Drive> partition, const Geometry& geometry,
                                            std::vector<Bitmap> bitmaps) {
  return std::make_unique<BitmapRuns>(std::move(partition), geometry, std::move(bitmaps));
}

Result<std::uint64_t> count_allocated(Drive& partition, const Geometry& g, const Bitmap& bitmap) {
  std::uint64_t count = 0;
  Bytes window;
  for (std::uint64_t at = 0; at < bitmap.bytes; at += window.size()) {
    window.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kWindowBytes, bitmap.bytes - at)));
    TRY(bitmap.read(partition, at, window));
    if (at + window.size() == bitmap.bytes && g.cluster_count % 8 != 0)  // bits behind the last cluster mean nothing
      window.back() &= static_cast<std::byte>((1U << g.cluster_count % 8) - 1);
    for (const std::byte byte : window) count += static_cast<unsigned>(std::popcount(static_cast<std::uint8_t>(byte)));
  }
  return count;
}

}  // namespace tintype::exfat
