// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/copy_compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "job/chunk_planner.h"
#include "job/pipeline.h"
#include "job/progress.h"
#include "job/restore_steps.h"

namespace tintype {
namespace {

struct Slot {
  PlannedChunk chunk;
  Bytes wanted, found;
  std::uint64_t compared = 0;
  std::optional<std::uint64_t> difference;  // byte of the area
};

class Comparison {
 public:
  Comparison(const CopyRequest& request, const std::vector<ExtentSet>& unreadable, const ExtentSet& unwritable, JobContext& context)
      : request_(request), unreadable_(unreadable), context_(context), written_(*request.target, request.plan, unwritable, report_) {}

  Result<CompareReport> run() {
    slots_.resize(slot_count(workers_));
    request_.target->drop_cache();  // what the drive kept counts, not what the system remembers of it
    ProgressMeter meter(context_.events, "compare", request_.plan.total_bytes);
    for (const CopyStep& step : request_.plan.copies) {
      meter.object(words(step));
      TRY(compare_step(step, meter));
    }
    TRY(written_.compare_tables());
    meter.finish();
    return std::move(report_);
  }

 private:
  std::string words(const CopyStep& step) const { return describe(request_.areas[step.area].area, request_.choice.layout); }

  Result<void> compare_step(const CopyStep& step, ProgressMeter& meter) {
    const SourceArea& area = request_.areas[step.area];
    excused_ = TRY(written_.excused_bytes(step, area.area));
    for (const Extent& lost : unreadable_[step.area].items()) excused_.add(lost);
    CopyStep whole = step;
    if (step.head_last) whole.skip_bytes = 0;
    ChunkPlanner planner(area.drive, TRY(area.used_map()), {}, kCopyBytes);
    PipelineSteps steps;
    steps.produce = [&](std::size_t slot) -> Result<bool> {
      std::optional<PlannedChunk> chunk = TRY(next_wanted(planner, whole));
      if (!chunk) return false;
      slots_[slot].chunk = std::move(*chunk);
      return true;
    };
    steps.work = [&](unsigned, std::size_t slot) { return compare_chunk(slots_[slot], step); };
    steps.consume = [&](std::size_t slot) -> Result<void> {
      const Slot& s = slots_[slot];
      if (s.difference) report_.add(fmt::format("{} differs at its byte {}", words(step), *s.difference));
      report_.compared_bytes += s.compared;
      meter.advance(s.compared);
      return {};
    };
    return run_pipeline(workers_, slots_.size(), context_.cancel, steps);
  }

  Result<void> compare_chunk(Slot& slot, const CopyStep& step) {
    slot.compared = 0;
    slot.difference.reset();
    ExtentSet pieces(slot.chunk.used);
    const ExtentSet excused = excused_.clipped(slot.chunk.extent);
    for (const Extent& extent : excused.items()) pieces.remove(extent);
    for (const Extent& piece : pieces.items()) {
      slot.wanted.resize(static_cast<std::size_t>(piece.length));
      slot.found.resize(static_cast<std::size_t>(piece.length));
      if (slot.chunk.hole) std::ranges::fill(slot.wanted, std::byte{0});
      else TRY(request_.areas[step.area].drive->read(piece.start, slot.wanted));
      TRY(request_.target->read(step.target_byte + piece.start, slot.found));
      slot.compared += piece.length;
      const auto [at, other] = std::ranges::mismatch(slot.wanted, slot.found);
      if (at != slot.wanted.end() && !slot.difference) slot.difference = piece.start + static_cast<std::uint64_t>(at - slot.wanted.begin());
    }
    return {};
  }

  const CopyRequest& request_;
  const std::vector<ExtentSet>& unreadable_;
  JobContext& context_;
  const unsigned workers_ = worker_count(context_.workers);
  std::vector<Slot> slots_;
  ExtentSet excused_;  // of the step under way, bytes of its area
  CompareReport report_;
  WrittenByPlan written_;
};

}  // namespace

Result<std::optional<PlannedChunk>> next_wanted(ChunkPlanner& planner, const CopyStep& step) {
  while (true) {
    std::optional<PlannedChunk> chunk = TRY(planner.next());
    if (!chunk) return std::nullopt;
    chunk->used = clip_to_step(chunk->used, step);
    if (!chunk->used.empty()) return chunk;
  }
}

Result<CompareReport> compare_copy(const CopyRequest& request, const std::vector<ExtentSet>& unreadable, const ExtentSet& unwritable,
                                   JobContext& context) {
  return Comparison(request, unreadable, unwritable, context).run();
}

}  // namespace tintype
