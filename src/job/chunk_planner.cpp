// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/chunk_planner.h"

#include <algorithm>

namespace tintype {
namespace {
constexpr std::uint64_t kAheadBytes = 16U << 20;
}

ChunkPlanner::ChunkPlanner(std::shared_ptr<Drive> drive, std::unique_ptr<ExtentStream> used, std::function<bool(std::uint64_t)> wanted,
                           std::uint64_t chunk_bytes)
    : drive_(std::move(drive)), used_(std::move(used)), wanted_(std::move(wanted)), chunk_bytes_(chunk_bytes) {}

Result<std::optional<PlannedChunk>> ChunkPlanner::next() {
  while (ahead_.size() * chunk_bytes_ < kAheadBytes && !ended_) {
    if (!TRY(plan_one())) ended_ = true;
  }
  if (ahead_.empty()) return std::nullopt;
  PlannedChunk chunk = std::move(ahead_.front());
  ahead_.pop_front();
  return chunk;
}

Result<bool> ChunkPlanner::plan_one() {
  if (!rest_) rest_ = TRY(used_->next());
  if (!rest_) return false;
  PlannedChunk chunk;
  chunk.number = rest_->start / chunk_bytes_;
  const std::uint64_t start = chunk.number * chunk_bytes_;
  chunk.extent = {start, std::min(chunk_bytes_, drive_->size_bytes() - start)};
  while (rest_ && rest_->start < chunk.extent.end()) {
    const std::uint64_t end = std::min(rest_->end(), chunk.extent.end());
    chunk.used.push_back({rest_->start, end - rest_->start});
    if (end < rest_->end())
      rest_ = Extent{end, rest_->end() - end};
    else
      rest_ = TRY(used_->next());
  }
  TRY(mark_hole(chunk));
  if (!chunk.hole && (!wanted_ || wanted_(chunk.number))) {
    const std::uint64_t first = chunk.used.front().start;
    drive_->will_need(first, chunk.used.back().end() - first);
  }
  ahead_.push_back(std::move(chunk));
  return true;
}

Result<void> ChunkPlanner::mark_hole(PlannedChunk& chunk) {
  const std::uint64_t start = chunk.used.front().start;
  const std::uint64_t end = chunk.used.back().end();
  // One question per hole or run of data, not per chunk: it is asked far ahead and kept.
  const auto covers = [&] { return status_ && status_->extent.start <= start && status_->extent.end() > start; };
  if (!covers()) status_ = TRY(drive_->status(start, drive_->size_bytes() - start));
  chunk.hole = covers() && status_->state != BlockState::data && status_->extent.end() >= end;
  return {};
}

}  // namespace tintype
