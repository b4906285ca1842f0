// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/reiserfs/bitmap_stream.h"

#include <algorithm>

#include "fs/bit_runs.h"

namespace tintype::reiserfs {
namespace {

// Bitmaps lie far apart (128 MiB at 4 KiB blocks); asking for the next ones early hides the seeks.
constexpr std::uint64_t kAhead = 16;

class BitmapStream final : public ExtentStream {
 public:
  BitmapStream(std::shared_ptr<Drive> drive, const Super& super, std::uint64_t first, std::uint64_t end)
      : drive_(std::move(drive)), super_(super), whole_(first == 0 && end == super.bitmaps()), next_(first), end_(end),
        bits_(super.block_bytes) {
    for (std::uint64_t i = first; i < std::min(first + kAhead, end); ++i) announce(i);
  }

  Result<std::optional<Extent>> next() override {
    while (true) {
      if (const std::optional<Extent> run = runs_.next())
        return Extent{(base_ + run->start) * super_.block_bytes, run->length * super_.block_bytes};
      if (next_ == end_) break;
      TRY(load(next_++));
    }
    if (whole_ && used_ < super_.blocks - super_.free_blocks)
      return fail(ErrorCode::corrupt, "the ReiserFS bitmaps hold fewer blocks than the superblock counts");
    return std::nullopt;
  }

 private:
  void announce(std::uint64_t index) {
    drive_->will_need(super_.bitmap_block(index) * super_.block_bytes, super_.block_bytes);
  }
  Result<void> load(std::uint64_t index) {
    if (index + kAhead < end_) announce(index + kAhead);
    const std::uint64_t block = super_.bitmap_block(index);
    TRY(drive_->read(block * super_.block_bytes, bits_));
    base_ = index * super_.blocks_per_bitmap();
    const std::uint64_t count = std::min(super_.blocks_per_bitmap(), super_.blocks - base_);
    runs_ = BitRuns(bits_, count);
    if (block >= base_ && block < base_ + count && !runs_.all_set({block - base_, 1}))
      return fail(ErrorCode::corrupt, "a ReiserFS bitmap does not hold its own block");
    used_ += runs_.total_set();
    return {};
  }

  std::shared_ptr<Drive> drive_;
  Super super_;
  bool whole_;
  std::uint64_t next_, end_;
  Bytes bits_;
  BitRuns runs_;
  std::uint64_t base_ = 0, used_ = 0;
};

}  // namespace

std::unique_ptr<ExtentStream> stream_bitmaps(std::shared_ptr<Drive> drive, const Super& super, std::uint64_t first,
                                             std::uint64_t end) {
  return std::make_unique<BitmapStream>(std::move(drive), super, first, end);
}

}  // namespace tintype::reiserfs
