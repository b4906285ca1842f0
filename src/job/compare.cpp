// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/compare.h"

#include <fmt/format.h>

#include <algorithm>

#include "job/areas.h"
#include "job/image_walk.h"
#include "job/pipeline.h"
#include "job/progress.h"
#include "job/restore_steps.h"
#include "job/written_by_plan.h"

namespace tintype {
namespace {

struct Slot {
  ImageChunk chunk;
  Bytes content, found;
  std::uint64_t compared = 0;
  std::optional<std::uint64_t> difference;  // byte of the area
};

class Comparison {
 public:
  Comparison(const CompareRequest& request, JobContext& context)
      : request_(request), context_(context), written_(*request.drive, request.plan, request.excused, report_) {}

  Result<CompareReport> run() {
    const unsigned count = worker_count(context_.workers);
    for (unsigned i = 0; i < count; ++i) readers_.emplace_back(request_.image);
    slots_.resize(slot_count(count));
    request_.drive->drop_cache();  // what the drive kept counts, not what the system remembers of it
    ProgressMeter meter(context_.events, "compare", request_.plan.total_bytes);
    const Catalog& catalog = request_.image->catalog();
    for (const CopyStep& step : request_.plan.copies) {
      meter.object(describe(catalog.areas[step.area], catalog.layout));
      TRY(compare_step(step, meter));
    }
    TRY(written_.compare_tables());
    meter.finish();
    return std::move(report_);
  }

 private:
  Result<void> compare_step(const CopyStep& step, ProgressMeter& meter) {
    excused_ = TRY(written_.excused_bytes(step, request_.image->catalog().areas[step.area]));
    ImageWalk walk(request_.image, step.area);
    PipelineSteps steps;
    steps.produce = [&](std::size_t slot) -> Result<bool> {
      while (true) {
        std::optional<ImageChunk> chunk = TRY(walk.next());
        if (!chunk) return false;
        CopyStep whole = step;
        if (step.head_last) whole.skip_bytes = 0;
        chunk->used = clip_to_step(chunk->used, whole);
        if (chunk->used.empty()) continue;
        slots_[slot].chunk = std::move(*chunk);
        return true;
      }
    };
    steps.work = [&](unsigned worker, std::size_t slot) { return compare_chunk(readers_[worker], slots_[slot], step); };
    steps.consume = [&](std::size_t slot) -> Result<void> {
      const Slot& s = slots_[slot];
      if (s.difference)
        report_.add(fmt::format("{} differs at its byte {}", describe(request_.image->catalog().areas[step.area], request_.image->catalog().layout), *s.difference));
      report_.compared_bytes += s.compared;
      meter.advance(s.compared);
      return {};
    };
    return run_pipeline(static_cast<unsigned>(readers_.size()), slots_.size(), context_.cancel, steps);
  }

  Result<void> compare_chunk(ChunkReader& reader, Slot& slot, const CopyStep& step) {
    const ImageChunk& chunk = slot.chunk;
    TRY(reader.read(step.area, chunk.number, chunk.extent.length, chunk.entry, slot.content));
    slot.compared = 0;
    slot.difference.reset();
    ExtentSet wanted(chunk.used);
    for (const Extent& lost : chunk.unreadable) wanted.remove(lost);
    const ExtentSet excused = excused_.clipped(chunk.extent);
    for (const Extent& extent : excused.items()) wanted.remove(extent);
    for (const Extent& piece : wanted.items()) {
      slot.found.resize(static_cast<std::size_t>(piece.length));
      TRY(request_.drive->read(step.target_byte + piece.start, slot.found));
      slot.compared += piece.length;
      const ByteSpan content = ByteSpan(slot.content).subspan(piece.start - chunk.extent.start, piece.length);
      const auto [in_image, on_drive] = std::ranges::mismatch(content, slot.found);
      if (in_image != content.end() && !slot.difference)
        slot.difference = piece.start + static_cast<std::uint64_t>(in_image - content.begin());
    }
    return {};
  }

  const CompareRequest& request_;
  JobContext& context_;
  std::vector<ChunkReader> readers_;
  std::vector<Slot> slots_;
  ExtentSet excused_;  // of the step under way
  CompareReport report_;
  WrittenByPlan written_;
};

}  // namespace

Result<CompareReport> run_compare(const CompareRequest& request, JobContext& context) {
  return Comparison(request, context).run();
}

RestorePlan source_plan(const Catalog& catalog) {
  RestorePlan plan;
  for (std::size_t i = 0; i < catalog.areas.size(); ++i) {
    plan.copies.push_back({i, catalog.areas[i].start_byte, 0, catalog.areas[i].size_bytes, false});
    plan.total_bytes += catalog.areas[i].used_bytes;
  }
  return plan;
}

}  // namespace tintype
