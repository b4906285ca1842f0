// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/overlay_drive.h"

#include <algorithm>
#include <bitset>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace tintype {
namespace {

constexpr std::uint64_t kBlock = 4096;
constexpr std::uint64_t kBlocksPerGroup = 262144;  // 1 GiB

// Which blocks were written. The caller locks.
class WrittenBlocks {
 public:
  bool has(std::uint64_t block) const {
    const auto found = groups_.find(block / kBlocksPerGroup);
    return found != groups_.end() && found->second->test(static_cast<std::size_t>(block % kBlocksPerGroup));
  }
  void add(std::uint64_t first, std::uint64_t end) {
    for (std::uint64_t block = first; block < end; ++block) {
      auto& group = groups_[block / kBlocksPerGroup];
      if (!group) group = std::make_unique<std::bitset<kBlocksPerGroup>>();
      group->set(static_cast<std::size_t>(block % kBlocksPerGroup));
    }
  }
  // The end of the run of blocks like `first`, at most `end`.
  std::uint64_t run_end(std::uint64_t first, std::uint64_t end) const {
    const bool kind = has(first);
    std::uint64_t block = first + 1;
    while (block < end) {
      if (!kind && !groups_.contains(block / kBlocksPerGroup)) {
        block = std::min(end, (block / kBlocksPerGroup + 1) * kBlocksPerGroup);
        continue;
      }
      if (has(block) != kind) break;
      ++block;
    }
    return std::min(block, end);
  }

 private:
  std::unordered_map<std::uint64_t, std::unique_ptr<std::bitset<kBlocksPerGroup>>> groups_;
};

class OverlayDrive final : public Drive {
 public:
  OverlayDrive(std::shared_ptr<Drive> below, std::shared_ptr<Drive> store)
      : below_(std::move(below)), store_(std::move(store)), info_(below_->info()) {
    info_.read_only = false;
  }

  const DriveInfo& info() const override { return info_; }

  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    TRY(check_range(offset, out.size()));
    while (!out.empty()) {
      const Run run = run_at(offset, out.size());
      const auto length = static_cast<std::size_t>(run.length);
      TRY((run.written ? store_ : below_)->read(offset, out.first(length)));
      out = out.subspan(length);
      offset += run.length;
    }
    return {};
  }

  Result<void> write(std::uint64_t offset, ByteSpan data) override {
    TRY(check_range(offset, data.size()));
    return change(offset, data.size(), [&](std::uint64_t at, std::uint64_t length, std::uint64_t from) {
      return store_->write(at, data.subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(length)));
    });
  }

  Result<void> zero(std::uint64_t offset, std::uint64_t length) override {
    TRY(check_range(offset, length));
    return change(offset, length, [&](std::uint64_t at, std::uint64_t n, std::uint64_t) { return store_->zero(at, n); });
  }

  Result<void> trim(std::uint64_t offset, std::uint64_t length) override { return check_range(offset, length); }
  Result<void> flush() override { return store_->flush(); }

  Result<BlockStatus> status(std::uint64_t offset, std::uint64_t length) override {
    TRY(check_range(offset, length));
    const Run run = run_at(offset, length);
    if (run.written) return BlockStatus{{offset, run.length}, BlockState::data};
    return below_->status(offset, run.length);
  }

  void will_need(std::uint64_t offset, std::uint64_t length) override { below_->will_need(offset, length); }
  void drop_cache() override {
    below_->drop_cache();
    store_->drop_cache();
  }

 private:
  struct Run {
    bool written = false;
    std::uint64_t length = 0;
  };
  Run run_at(std::uint64_t offset, std::uint64_t length) {
    if (length == 0) return {};
    const std::shared_lock lock(map_mutex_);
    const std::uint64_t first = offset / kBlock;
    const std::uint64_t end = written_.run_end(first, div_round_up(offset + length, kBlock)) * kBlock;
    return {written_.has(first), std::min(end, offset + length) - offset};
  }

  // One writer at a time: a block that is written in part is first brought over whole.
  template <class Put>
  Result<void> change(std::uint64_t offset, std::uint64_t length, const Put& put) {
    if (length == 0) return {};
    const std::lock_guard lock(write_mutex_);
    const std::uint64_t first = offset / kBlock, end = div_round_up(offset + length, kBlock);
    if (offset % kBlock != 0) TRY(bring(first));
    if ((offset + length) % kBlock != 0) TRY(bring(end - 1));
    TRY(put(offset, length, 0));
    const std::unique_lock map_lock(map_mutex_);
    written_.add(first, end);
    return {};
  }

  Result<void> bring(std::uint64_t block) {
    {
      const std::shared_lock lock(map_mutex_);
      if (written_.has(block)) return {};
    }
    const std::uint64_t at = block * kBlock;
    Bytes bytes(static_cast<std::size_t>(std::min(kBlock, size_bytes() - at)));
    TRY(below_->read(at, bytes));
    return store_->write(at, bytes);
  }

  std::shared_ptr<Drive> below_, store_;
  DriveInfo info_;
  std::mutex write_mutex_;
  std::shared_mutex map_mutex_;
  WrittenBlocks written_;
};

}  // namespace

std::shared_ptr<Drive> make_overlay_drive(std::shared_ptr<Drive> below, std::shared_ptr<Drive> store) {
  return std::make_shared<OverlayDrive>(std::move(below), std::move(store));
}

}  // namespace tintype
