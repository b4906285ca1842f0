// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/restore.h"

#include <fmt/format.h>

#include <algorithm>

#include "job/areas.h"
#include "job/carry_out.h"
#include "job/compare.h"
#include "job/delta_writer.h"
#include "job/image_walk.h"
#include "job/passes.h"
#include "job/pipeline.h"
#include "job/progress.h"
#include "job/restore_steps.h"
#include "job/target_writer.h"
#include "job/validate.h"

namespace tintype {
namespace {

struct Slot {
  ImageChunk chunk;
  bool whole = false;  // all of the chunk's used bytes are to be written
  Bytes content;
  DeltaCount count;
};

class Restore final : public StepData {
 public:
  Restore(const RestoreRequest& request, JobContext& context)
      : request_(request), context_(context), target_(request.target, context, request.allow_errors) {}

  Result<RestoreReport> run() {
    TRY(request_.image->check_links());
    if (request_.validate_first) TRY(validate());
    const std::string unfinished = request_.fresh_target ? "" : "the target is written to only in part: restore it again before you use it";
    const std::uint64_t tables = TRY(carry_out(request_.plan, *request_.target, target_, *this, context_, unfinished));
    report_.written_bytes += tables;
    if (request_.compare_after) TRY(compare());
    report_.unwritable_bytes = target_.unwritable().total_bytes();
    if (report_.unwritable_bytes > 0 || lost_at_source_ > 0) report_.outcome = Outcome::with_bad_sectors;
    return report_;
  }

 private:
  void start_over() override {
    readers_.clear();
    deltas_.clear();
    lost_at_source_ = 0;
    report_ = {};
  }

  void all_is_there() override {
    if (lost_at_source_ > 0)
      context_.events.warn(fmt::format("{} bytes could not be read when the image was made; they are zero on the target", lost_at_source_));
  }

  Result<void> validate() {
    const ValidateReport report = TRY(run_validate(request_.image, context_, request_.multi_pass));
    if (report.sound()) return {};
    return fail(ErrorCode::corrupt,
                fmt::format("the image is damaged in {} {}, the first: {}", report.damage_count,
                            report.damage_count == 1 ? "place" : "places", report.damage.front().what),
                "nothing was written; use tintype validate to see all of it");
  }

  Result<void> copy_all() override {
    const unsigned count = worker_count(context_.workers);
    for (unsigned i = 0; i < count; ++i) {
      readers_.emplace_back(request_.image);
      deltas_.emplace_back(*request_.target, target_);
    }
    slots_.resize(slot_count(count));
    ProgressMeter meter(context_.events, "restore", request_.plan.total_bytes);
    const Catalog& catalog = request_.image->catalog();
    for (const Pass& pass : passes_over(catalog, request_.multi_pass)) {
      for (const CopyStep& step : request_.plan.copies) {
        meter.object(describe(catalog.areas[step.area], catalog.layout));
        TRY(copy(step, pass, meter));
        if (pass.last) TRY(clear_heads(step));
      }
    }
    meter.finish();
    return {};
  }

  // Of left-out files; after all that would overwrite them.
  Result<void> clear_heads(const CopyStep& step) {
    for (const Extent& head : cleared_ranges(request_.image->catalog().areas[step.area]))
      if (head.end() <= step.limit_bytes) TRY(target_.zero(step.target_byte + head.start, head.length));
    return {};
  }

  Result<void> copy(const CopyStep& step, const Pass& pass, ProgressMeter& meter) {
    ImageWalk walk(request_.image, step.area);
    std::uint64_t listed = 0;
    PipelineSteps steps;
    steps.produce = [&](std::size_t slot) -> Result<bool> {
      while (true) {
        std::optional<ImageChunk> chunk = TRY(walk.next());
        if (!chunk) return false;
        for (const Extent& extent : chunk->used) listed += extent.length;
        if (!pass.takes(chunk->entry)) continue;
        std::vector<Extent> wanted = clip_to_step(chunk->used, step);
        if (wanted.empty()) continue;
        slots_[slot].whole = wanted == chunk->used;
        chunk->used = std::move(wanted);
        slots_[slot].chunk = std::move(*chunk);
        return true;
      }
    };
    steps.work = [&](unsigned worker, std::size_t slot) { return bring_chunk(worker, slots_[slot], step); };
    steps.consume = [&](std::size_t slot) -> Result<void> {
      std::uint64_t bytes = 0;
      for (const Extent& extent : slots_[slot].chunk.used) bytes += extent.length;
      count_lost(slots_[slot].chunk.unreadable, step);
      report_.written_bytes += slots_[slot].count.written_bytes;
      report_.compared_bytes += slots_[slot].count.compared_bytes;
      meter.advance(bytes);
      return {};
    };
    TRY(run_pipeline(static_cast<unsigned>(readers_.size()), slots_.size(), context_.cancel, steps));
    if (listed == request_.image->catalog().areas[step.area].used_bytes) return {};
    return fail(ErrorCode::corrupt, "the index does not list all that the image says it holds");
  }

  void count_lost(const std::vector<Extent>& unreadable, const CopyStep& step) {
    for (const Extent& extent : clip_to_step(unreadable, step)) lost_at_source_ += extent.length;
  }

  // The beginning of an area, which makes it look like a file system.
  Result<void> copy_head(const CopyStep& step) override {
    ImageWalk walk(request_.image, step.area);
    Slot slot;
    while (std::optional<ImageChunk> chunk = TRY(walk.next())) {
      if (chunk->extent.start >= step.skip_bytes) break;
      slot.chunk = std::move(*chunk);
      const CopyStep head{step.area, step.target_byte, 0, std::min(step.skip_bytes, step.limit_bytes), false};
      slot.chunk.used = clip_to_step(slot.chunk.used, head);
      count_lost(slot.chunk.unreadable, head);
      TRY(write_chunk(readers_.front(), slot, step));
      for (const Extent& extent : slot.chunk.used) report_.written_bytes += extent.length;
    }
    return {};
  }

  Result<void> bring_chunk(unsigned worker, Slot& slot, const CopyStep& step) {
    slot.count = {};
    if (request_.delta) {
      slot.count = TRY(deltas_[worker].write(readers_[worker], slot.chunk, step, slot.whole));
      return {};
    }
    for (const Extent& used : slot.chunk.used) slot.count.written_bytes += used.length;
    return write_chunk(readers_[worker], slot, step);
  }

  Result<void> write_chunk(ChunkReader& reader, Slot& slot, const CopyStep& step) {
    const ImageChunk& chunk = slot.chunk;
    if (chunk.entry.kind == ChunkEntry::Kind::zero) {
      for (const Extent& used : chunk.used) TRY(target_.zero(step.target_byte + used.start, used.length));
      return {};
    }
    TRY(reader.read(step.area, chunk.number, chunk.extent.length, chunk.entry, slot.content));
    for (const Extent& used : chunk.used)
      TRY(target_.write(step.target_byte + used.start, ByteSpan(slot.content).subspan(used.start - chunk.extent.start, used.length)));
    return {};
  }

  Result<void> compare() {
    const CompareReport report = TRY(run_compare({request_.image, request_.target, request_.plan, target_.unwritable()}, context_));
    if (report.equal()) return {};
    return fail(ErrorCode::mismatch,
                fmt::format("the target differs from the image in {} places, the first: {}", report.differing_chunks, report.differences.front()),
                "do not rely on the target; check the drive and restore again");
  }

  const RestoreRequest& request_;
  JobContext& context_;
  TargetWriter target_;
  std::vector<ChunkReader> readers_;
  std::vector<DeltaWriter> deltas_;  // one per worker, as the readers
  std::vector<Slot> slots_;
  std::uint64_t lost_at_source_ = 0;
  RestoreReport report_;
};

}  // namespace

Result<RestoreReport> run_restore(const RestoreRequest& request, JobContext& context) {
  OrderlyEvents events(context.events);
  JobContext orderly{events, context.cancel, context.clock, context.random, context.workers};
  return Restore(request, orderly).run();
}

}  // namespace tintype
