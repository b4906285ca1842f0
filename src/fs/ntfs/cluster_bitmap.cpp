// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/ntfs/cluster_bitmap.h"

#include <algorithm>
#include <bit>

namespace tintype::ntfs {
namespace {

constexpr std::uint64_t kWindowBytes = 1024 * 1024;
constexpr std::uint64_t kUnionWindowBytes = 32 * 1024 * 1024;

// First bit of [from, end) with this value, or end. `bits` is padded to whole 64-bit words.
std::uint64_t find_bit(ByteSpan bits, std::uint64_t from, std::uint64_t end, bool value) {
  while (from < end) {
    std::uint64_t word = load_le<std::uint64_t>(bits, from / 64 * 8);
    if (!value) word = ~word;
    word &= ~std::uint64_t{0} << (from % 64);
    if (word != 0) return std::min(end, from / 64 * 64 + static_cast<std::uint64_t>(std::countr_zero(word)));
    from = from / 64 * 64 + 64;
  }
  return end;
}

void set_bits(MutableByteSpan bits, std::uint64_t from, std::uint64_t end) {
  for (; from < end && from % 8 != 0; ++from) bits[from / 8] |= std::byte{1} << (from % 8);
  for (; end > from && end % 8 != 0; --end) bits[end / 8] |= std::byte{1} << ((end - 1) % 8);
  if (from < end)
    std::fill(bits.begin() + static_cast<std::ptrdiff_t>(from / 8), bits.begin() + static_cast<std::ptrdiff_t>(end / 8),
              std::byte{0xff});
}

class UsedClusters final : public ExtentStream {
 public:
  UsedClusters(std::shared_ptr<const Volume> volume, bool add_file_runs)
      : volume_(std::move(volume)),
        add_file_runs_(add_file_runs),
        window_(add_file_runs ? kUnionWindowBytes : kWindowBytes) {
    const std::uint64_t needed = round_up(div_round_up(volume_->bitmap.total_clusters(), 8), 8);
    bits_.resize(std::min(window_, needed));
    window_ = bits_.size();
  }

  Result<std::optional<Extent>> next() override {
    const std::uint64_t cluster_bytes = volume_->mft.boot().cluster_bytes;
    while (true) {
      at_ = find_bit(bits_, at_, count_, true);
      if (at_ < count_) {
        const std::uint64_t start = at_;
        at_ = find_bit(bits_, at_, count_, false);
        return Extent{(first_ + start) * cluster_bytes, (at_ - start) * cluster_bytes};
      }
      first_ += count_;
      count_ = at_ = 0;
      if (first_ >= volume_->bitmap.total_clusters()) return std::nullopt;
      TRY(fill());
    }
  }

 private:
  Result<void> fill() {
    if (!add_file_runs_) {
      if (const std::uint64_t free = volume_->bitmap.free_at(first_); free > 0) {
        first_ += free;
        return {};
      }
    }
    const std::uint64_t count = std::min(window_ * 8, volume_->bitmap.total_clusters() - first_);
    TRY(volume_->bitmap.read(first_, count, bits_));
    if (add_file_runs_) TRY(add_runs(count));
    count_ = count;
    return {};
  }

  Result<void> add_runs(std::uint64_t count) {
    const std::uint64_t end = first_ + count;
    return volume_->mft.scan([&](std::uint64_t, const Record& record) -> Result<void> {
      for (const Attribute& attribute : record.attributes) {
        if (attribute.resident) continue;
        RunDecoder decoder(attribute.mapping_pairs, 0, volume_->bitmap.total_clusters());
        while (const std::optional<Run> run = TRY(decoder.next()))
          if (run->lcn && *run->lcn < end && *run->lcn + run->length > first_)
            set_bits(bits_, std::max(*run->lcn, first_) - first_, std::min(*run->lcn + run->length, end) - first_);
      }
      return {};
    });
  }

  std::shared_ptr<const Volume> volume_;
  bool add_file_runs_;
  std::uint64_t window_;
  Bytes bits_;
  std::uint64_t first_ = 0;  // cluster of the first bit
  std::uint64_t count_ = 0;  // bits in the window
  std::uint64_t at_ = 0;
};

}  // namespace

Result<ClusterBitmap> ClusterBitmap::open(const Mft& mft) {
  ClusterBitmap bitmap(mft);
  File file = TRY(mft.load_file(kBitmapRecord));
  const Stream* data = file.find(kData);
  if (!data || data->flags != 0 || data->runs.has_holes())
    return fail(ErrorCode::corrupt, "$Bitmap is not stored as it must be");
  const std::uint64_t needed = div_round_up(bitmap.total_clusters_, 8);
  if (data->data_bytes < needed || data->initialized_bytes < needed)
    return fail(ErrorCode::corrupt, "$Bitmap is shorter than the volume");
  bitmap.stream_ = *data;
  return bitmap;
}

Result<void> ClusterBitmap::read(std::uint64_t first, std::uint64_t count, MutableByteSpan bits) const {
  const std::uint64_t bytes = div_round_up(count, 8);
  if (stream_.resident)
    std::copy_n(stream_.value.begin() + static_cast<std::ptrdiff_t>(first / 8), bytes, bits.begin());
  else
    TRY(stream_.runs.read(*drive_, cluster_bytes_, first / 8, bits.first(bytes)));
  std::ranges::fill(bits.subspan(bytes), std::byte{0});
  if (count % 8 != 0) bits[bytes - 1] &= std::byte(0xff >> (8 - count % 8));
  return {};
}

std::uint64_t ClusterBitmap::free_at(std::uint64_t first) const {
  if (stream_.resident) return 0;
  const std::uint64_t needed = div_round_up(total_clusters_, 8);
  const std::uint64_t bytes = stream_.runs.zeros_at(*drive_, cluster_bytes_, first / 8, needed - first / 8);
  return std::min(bytes * 8, total_clusters_ - first);
}

Result<std::uint64_t> ClusterBitmap::count_used() const {
  std::uint64_t used = 0;
  Bytes bits(std::min(kWindowBytes, round_up(div_round_up(total_clusters_, 8), 8)));
  for (std::uint64_t first = 0; first < total_clusters_;) {
    if (const std::uint64_t free = free_at(first); free > 0) {
      first += free;
      continue;
    }
    const std::uint64_t count = std::min(std::uint64_t{bits.size()} * 8, total_clusters_ - first);
    TRY(read(first, count, bits));
    for (std::size_t i = 0; i < bits.size(); i += 8) used += static_cast<std::uint64_t>(std::popcount(le64(bits, i)));
    first += count;
  }
  return used;
}

Result<bool> ClusterBitmap::all_used(const ExtentSet& ranges) const {
  constexpr std::uint64_t kProbeBits = 64 * 1024 * 8;
  Bytes bits(kProbeBits / 8);
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  for (const Extent& range : ranges.items()) {
    const std::uint64_t end = div_round_up(range.end(), cluster_bytes_);
    if (end > total_clusters_) return false;
    for (std::uint64_t at = range.start / cluster_bytes_; at < end;) {
      if (at < first || at >= first + count) {
        first = round_down(at, 8);
        count = std::min(kProbeBits, total_clusters_ - first);
        TRY(read(first, count, bits));
      }
      const std::uint64_t stop = std::min(end, first + count);
      if (find_bit(bits, at - first, stop - first, false) != stop - first) return false;
      at = stop;
    }
  }
  return true;
}

std::unique_ptr<ExtentStream> stream_used_clusters(std::shared_ptr<const Volume> volume, bool add_file_runs) {
  return std::make_unique<UsedClusters>(std::move(volume), add_file_runs);
}

}  // namespace tintype::ntfs
