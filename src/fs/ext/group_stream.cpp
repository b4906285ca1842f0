// SPDX-License-Identifier: GPL-3.0-or-later
// Block bitmaps as a stream: descriptors and bitmaps of a batch of groups are read together (flex_bg puts the
// bitmaps of 16 groups side by side: one request), then each bitmap is checked, completed and turned into runs.
#include <fmt/format.h>

#include <algorithm>

#include "fs/bit_runs.h"
#include "fs/ext/checksum.h"
#include "fs/ext/groups.h"
#include "fs/ext/volume.h"

namespace tintype::ext {
namespace {

constexpr std::uint64_t kBatchBytes = 1 << 20;  // of bitmaps

void merge_bits(MutableByteSpan into, ByteSpan from) {
  for (std::size_t i = 0; i < into.size(); ++i) into[i] |= from[i];
}

class GroupStream final : public ExtentStream {
 public:
  GroupStream(std::shared_ptr<const Volume> volume, std::uint64_t first, std::uint64_t end)
      : volume_(std::move(volume)), super_(volume_->super), next_group_(first), end_group_(end) {}

  Result<std::optional<Extent>> next() override {
    while (true) {
      if (std::optional<Extent> run = next_run()) return run;
      if (next_group_ == end_group_) return std::nullopt;
      if (next_group_ == batch_first_ + groups_.size() || groups_.empty()) TRY(load_batch());
      TRY(enter(next_group_++));
    }
  }

 private:
  MutableByteSpan bitmap_of(std::uint64_t group) {
    return MutableByteSpan(bitmaps_).subspan((group - batch_first_) * super_.block_bytes, super_.block_bytes);
  }

  Result<void> load_batch() {
    batch_first_ = next_group_;
    const std::uint64_t count =
        std::min(std::max<std::uint64_t>(kBatchBytes / super_.block_bytes, 1), end_group_ - next_group_);
    groups_ = TRY(read_groups(*volume_->drive, super_, batch_first_, count, volume_->verify_checksums));
    bitmaps_.assign(count * super_.block_bytes, std::byte{0});
    TRY(each_run([this](std::uint64_t block, MutableByteSpan out) -> Result<void> {
      volume_->drive->will_need(block * super_.block_bytes, out.size());
      return {};
    }));
    return each_run([this](std::uint64_t block, MutableByteSpan out) -> Result<void> {
      return volume_->drive->read(block * super_.block_bytes, out);
    });
  }

  // Calls for every run of bitmaps that follow each other on the drive.
  template <class Function>
  Result<void> each_run(Function function) {
    for (std::size_t i = 0; i < groups_.size();) {
      if (groups_[i].bitmap_uninit) {
        ++i;
        continue;
      }
      std::size_t n = 1;
      while (i + n < groups_.size() && !groups_[i + n].bitmap_uninit &&
             groups_[i + n].block_bitmap == groups_[i].block_bitmap + n)
        ++n;
      const MutableByteSpan all(bitmaps_);
      TRY(function(groups_[i].block_bitmap, all.subspan(i * super_.block_bytes, n * super_.block_bytes)));
      i += n;
    }
    return {};
  }

  Result<void> enter(std::uint64_t number) {
    const Group& group = groups_[number - batch_first_];
    bits_ = bitmap_of(number);
    first_block_ = super_.group_first(number);
    block_count_ = super_.group_blocks(number);
    clusters_ = div_round_up(block_count_, super_.cluster_blocks);
    if (!group.bitmap_uninit) TRY(check(number, group));
    Bytes copy(super_.block_bytes);
    for (const JournalCopy& newer : volume_->journal.copies_of(group.block_bitmap)) {
      TRY(volume_->journal.read_copy(*volume_->drive, newer, copy));
      merge_bits(bits_, copy);
    }
    for (const Blocks& run : fixed_metadata(super_, number)) set_bits(bits_, clipped(run));
    for (const Blocks& run : own_metadata(super_, group)) set_bits(bits_, clipped(run));
    runs_ = BitRuns(bits_, clusters_);
    return {};
  }

  Result<void> check(std::uint64_t number, const Group& group) const {
    const auto wrong = [number](std::string_view what) {
      return fail(ErrorCode::corrupt, fmt::format("the block bitmap of ext block group {} is damaged: {}", number, what));
    };
    const Journal& journal = volume_->journal;
    if (volume_->verify_checksums && super_.metadata_csum()) {
      // While the journal holds a newer bitmap or descriptor, those on the drive may be of different age.
      const std::uint64_t desc_block = super_.desc_block_location(number / super_.descs_per_block());
      const bool changing = !journal.copies_of(group.block_bitmap).empty() || !journal.copies_of(desc_block).empty();
      const std::size_t used_bytes = super_.blocks_per_group / super_.cluster_blocks / 8;
      std::uint32_t crc = crc32c(super_.csum_seed, bits_.first(used_bytes));
      if (super_.desc_bytes < 64) crc &= 0xFFFF;
      if (!changing && crc != group.bitmap_csum) return wrong("its checksum is wrong");
    }
    if (journal.pending()) return {};
    const BitRuns bits(bits_, clusters_);
    for (const Blocks& run : own_metadata(super_, group))
      if (!bits.all_set(clipped(run))) return wrong("it does not hold the group's own metadata");
    // Fewer blocks in use than the descriptor counts: one of the two is wrong, and it may be the bitmap.
    if (clusters_ - bits.total_set() > group.free_clusters) return wrong("it holds fewer blocks than its descriptor says");
    return {};
  }

  // The part of a run that lies in this group, in clusters.
  Extent clipped(const Blocks& run) const {
    const std::uint64_t start = std::max(run.first, first_block_);
    const std::uint64_t end = std::min(run.first + run.count, first_block_ + block_count_);
    if (start >= end) return {};
    const std::uint64_t first = (start - first_block_) / super_.cluster_blocks;
    return {first, div_round_up(end - first_block_, super_.cluster_blocks) - first};
  }
  std::optional<Extent> next_run() {
    const std::optional<Extent> clusters = runs_.next();
    if (!clusters) return std::nullopt;
    const std::uint64_t first = clusters->start * super_.cluster_blocks;
    const std::uint64_t end = std::min(clusters->end() * super_.cluster_blocks, block_count_);
    return Extent{(first_block_ + first) * super_.block_bytes, (end - first) * super_.block_bytes};
  }

  std::shared_ptr<const Volume> volume_;
  const Super& super_;
  std::uint64_t next_group_, end_group_;
  std::uint64_t batch_first_ = 0;
  std::vector<Group> groups_;
  Bytes bitmaps_;
  // The group being turned into runs.
  MutableByteSpan bits_;
  std::uint64_t first_block_ = 0, block_count_ = 0, clusters_ = 0;
  BitRuns runs_;
};

}  // namespace

std::unique_ptr<ExtentStream> stream_groups(std::shared_ptr<const Volume> volume, std::uint64_t first,
                                            std::uint64_t end) {
  return std::make_unique<GroupStream>(std::move(volume), first, end);
}

}  // namespace tintype::ext
