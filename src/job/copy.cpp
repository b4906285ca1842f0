// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/copy.h"

#include <fmt/format.h>

#include <algorithm>

#include "job/carry_out.h"
#include "job/chunk_planner.h"
#include "job/chunk_source.h"
#include "job/copy_compare.h"
#include "job/delta_writer.h"
#include "job/pipeline.h"
#include "job/progress.h"
#include "job/restore_steps.h"

namespace tintype {
namespace {

// Zeros shorter than that cost a fresh target more as a hole than as data.
constexpr std::uint64_t kZeroRun = 64 * 1024;

struct Slot {
  PlannedChunk chunk;
  Bytes content;
  std::vector<Extent> unreadable;  // of the area
  DeltaCount count;
};

std::uint64_t total(const std::vector<Extent>& extents) {
  std::uint64_t bytes = 0;
  for (const Extent& extent : extents) bytes += extent.length;
  return bytes;
}

class Copy final : public StepData {
 public:
  Copy(const CopyRequest& request, JobContext& context)
      : request_(request), context_(context), source_(context, request.allow_errors, request.retries),
        target_(request.target, context, request.allow_errors) {}

  Result<CopyReport> run() {
    start_over();
    const std::string unfinished =
        request_.fresh_target ? "" : "the target is written to only in part: copy to it again before you use it";
    const std::uint64_t tables = TRY(carry_out(request_.plan, *request_.target, target_, *this, context_, unfinished));
    report_.written_bytes += tables;
    if (request_.compare_after) TRY(compare());
    report_.unreadable_bytes = lost_bytes();
    for (std::size_t i = 0; i < lost_.size(); ++i)
      for (const Extent& lost : lost_[i].items()) add_damage(report_.unreadable, request_.areas[i].area, request_.choice.layout, lost);
    report_.unwritable_bytes = target_.unwritable().total_bytes();
    if (report_.unwritable_bytes > 0 || report_.unreadable_bytes > 0) report_.outcome = Outcome::with_bad_sectors;
    return report_;
  }

 private:
  void start_over() override {
    report_ = {};
    lost_.assign(request_.areas.size(), {});
  }

  Result<void> copy_all() override {
    const unsigned workers = worker_count(context_.workers);
    deltas_.clear();
    for (unsigned i = 0; i < workers; ++i) deltas_.emplace_back(*request_.target, target_);
    slots_.resize(slot_count(workers));
    ProgressMeter meter(context_.events, "copy", request_.plan.total_bytes);
    for (const CopyStep& step : request_.plan.copies) {
      meter.object(describe(request_.areas[step.area].area, request_.choice.layout));
      TRY(copy(step, meter));
      TRY(clear_heads(step));
    }
    meter.finish();
    return {};
  }

  void all_is_there() override {
    if (const std::uint64_t lost = lost_bytes(); lost > 0)
      context_.events.warn(fmt::format("{} bytes of the source could not be read; they are zero on the target", lost));
  }

  // Of left-out files, so that nothing takes old data for a live one.
  Result<void> clear_heads(const CopyStep& step) {
    for (const Extent& head : cleared_ranges(request_.areas[step.area].area))
      if (head.end() <= step.limit_bytes) TRY(target_.zero(step.target_byte + head.start, head.length));
    return {};
  }

  Result<void> copy(const CopyStep& step, ProgressMeter& meter) {
    const SourceArea& area = request_.areas[step.area];
    ChunkPlanner planner(area.drive, TRY(area.used_map()), {}, kCopyBytes);
    PipelineSteps steps;
    steps.produce = [&](std::size_t slot) -> Result<bool> {
      std::optional<PlannedChunk> chunk = TRY(next_wanted(planner, step));
      if (!chunk) return false;
      slots_[slot].chunk = std::move(*chunk);
      return true;
    };
    steps.work = [&](unsigned worker, std::size_t slot) { return bring(slots_[slot], step, request_.delta ? &deltas_[worker] : nullptr); };
    steps.consume = [&](std::size_t slot) -> Result<void> {
      count(slots_[slot], step);
      meter.advance(total(slots_[slot].chunk.used));
      return {};
    };
    return run_pipeline(static_cast<unsigned>(deltas_.size()), slots_.size(), context_.cancel, steps);
  }

  // The beginning of an area, which makes it look like a file system.
  Result<void> copy_head(const CopyStep& step) override {
    const SourceArea& area = request_.areas[step.area];
    ChunkPlanner planner(area.drive, TRY(area.used_map()), {}, kCopyBytes);
    const CopyStep head{step.area, step.target_byte, 0, std::min(step.skip_bytes, step.limit_bytes), false};
    while (std::optional<PlannedChunk> chunk = TRY(planner.next())) {
      if (chunk->extent.start >= head.limit_bytes) break;
      Slot& slot = slots_.front();
      slot.chunk = std::move(*chunk);
      slot.chunk.used = clip_to_step(slot.chunk.used, head);
      TRY(bring(slot, head, nullptr));
      count(slot, head);
    }
    return {};
  }

  void count(const Slot& slot, const CopyStep& step) {
    for (const Extent& lost : slot.unreadable) lost_[step.area].add(lost);
    report_.written_bytes += slot.count.written_bytes;
    report_.compared_bytes += slot.count.compared_bytes;
  }

  Result<void> bring(Slot& slot, const CopyStep& step, DeltaWriter* delta) {
    const PlannedChunk& chunk = slot.chunk;
    slot.count = {};
    slot.unreadable.clear();
    const auto fetch = [&](MutableByteSpan out) -> Result<void> {
      slot.unreadable = TRY(source_.read(*request_.areas[step.area].drive, chunk, out));
      return {};
    };
    if (delta != nullptr) {
      slot.count = TRY(delta->write({chunk.extent, chunk.used, chunk.hole}, step.target_byte, fetch));
      return {};
    }
    slot.count.written_bytes = total(chunk.used);
    if (chunk.hole) {
      for (const Extent& used : chunk.used) TRY(target_.zero(step.target_byte + used.start, used.length));
      return {};
    }
    slot.content.resize(static_cast<std::size_t>(chunk.extent.length));
    TRY(fetch(slot.content));
    for (const Extent& used : chunk.used)
      TRY(put(step.target_byte + used.start, ByteSpan(slot.content).subspan(used.start - chunk.extent.start, used.length)));
    return {};
  }

  Result<void> put(std::uint64_t at, ByteSpan data) {
    if (!request_.fresh_target) return target_.write(at, data);
    while (!data.empty()) {
      const bool zero = all_zero(piece(data, 0, at));
      std::size_t n = piece(data, 0, at).size();
      while (n < data.size() && all_zero(piece(data, n, at)) == zero) n += piece(data, n, at).size();
      TRY(zero ? target_.zero(at, n) : target_.write(at, data.first(n)));
      data = data.subspan(n);
      at += n;
    }
    return {};
  }

  // The bytes from `from` up to the next multiple of kZeroRun on the target.
  static ByteSpan piece(ByteSpan data, std::size_t from, std::uint64_t at) {
    return data.subspan(from, std::min<std::size_t>(kZeroRun - (at + from) % kZeroRun, data.size() - from));
  }

  Result<void> compare() {
    const CompareReport found = TRY(compare_copy(request_, lost_, target_.unwritable(), context_));
    report_.compared_bytes += found.compared_bytes;
    if (found.equal()) return {};
    return fail(ErrorCode::mismatch,
                fmt::format("the target differs from the source in {} places, the first: {}", found.differing_chunks, found.differences.front()),
                "do not rely on the target; check both drives and copy again");
  }

  std::uint64_t lost_bytes() const {
    std::uint64_t bytes = 0;
    for (const ExtentSet& lost : lost_) bytes += lost.total_bytes();
    return bytes;
  }

  const CopyRequest& request_;
  JobContext& context_;
  ChunkSource source_;
  TargetWriter target_;
  std::vector<DeltaWriter> deltas_;  // one per worker
  std::vector<Slot> slots_;
  std::vector<ExtentSet> lost_;      // of each area, what could not be read
  CopyReport report_;
};

}  // namespace

Result<CopyReport> run_copy(const CopyRequest& request, JobContext& context) {
  OrderlyEvents events(context.events);
  JobContext orderly{events, context.cancel, context.clock, context.random, context.workers};
  return Copy(request, orderly).run();
}

}  // namespace tintype
