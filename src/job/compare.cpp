// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/compare.h"

#include <fmt/format.h>

#include <algorithm>

#include "job/areas.h"
#include "job/image_walk.h"
#include "job/pipeline.h"
#include "job/progress.h"
#include "job/restore_steps.h"

namespace tintype {
namespace {

constexpr std::size_t kMostListed = 20;

struct Slot {
  ImageChunk chunk;
  Bytes content, found;
  std::uint64_t compared = 0;
  std::optional<std::uint64_t> difference;  // byte of the area
};

class Comparison {
 public:
  Comparison(const CompareRequest& request, JobContext& context) : request_(request), context_(context) {}

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
    TRY(compare_tables());
    meter.finish();
    return std::move(report_);
  }

 private:
  Result<void> compare_step(const CopyStep& step, ProgressMeter& meter) {
    excused_ = TRY(excused_bytes(step));
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
        add(fmt::format("{} differs at its byte {}", describe(request_.image->catalog().areas[step.area], request_.image->catalog().layout), *s.difference));
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

  // Bytes of the area that may differ: changed by a fix of the plan, written by its tables, cleared, or unwritable.
  Result<ExtentSet> excused_bytes(const CopyStep& step) const {
    ExtentSet changed = request_.excused;
    for (const HiddenSectorsFix& fix : request_.plan.fixes)
      for (const Extent& field : TRY(fields_on(*request_.drive, fix))) changed.add(field);
    for (const TableWrite& write : request_.plan.write_last) changed.add({write.target_byte, write.bytes.size()});
    ExtentSet excused;
    const ExtentSet here = changed.clipped({step.target_byte, step.limit_bytes});
    for (const Extent& extent : here.items())
      excused.add({extent.start - step.target_byte, extent.length});
    for (const Extent& cleared : cleared_ranges(request_.image->catalog().areas[step.area])) excused.add(cleared);
    return excused;
  }

  // What the plan wrote itself. Behind sectors known to be unwritable nothing can be expected.
  Result<void> compare_bytes(std::uint64_t at, ByteSpan wanted, const std::string& what) {
    const Extent range{at, wanted.size()};
    if (request_.excused.intersects(range)) return {};
    Bytes found(wanted.size());
    TRY(request_.drive->read(at, found));
    if (!std::ranges::equal(found, wanted)) add(fmt::format("{} differs", what));
    report_.compared_bytes += found.size();
    return {};
  }

  Result<void> compare_tables() {
    for (const TableWrite& write : request_.plan.write_last) TRY(compare_bytes(write.target_byte, write.bytes, write.what));
    for (const HiddenSectorsFix& fix : request_.plan.fixes) {
      std::array<std::byte, 4> value{};
      store_le(value, 0, fix.value);
      for (const Extent& field : TRY(fields_on(*request_.drive, fix))) TRY(compare_bytes(field.start, value, "the hidden-sectors field"));
    }
    return {};
  }

  void add(std::string difference) {
    ++report_.differing_chunks;
    if (report_.differences.size() < kMostListed) report_.differences.push_back(std::move(difference));
  }

  const CompareRequest& request_;
  JobContext& context_;
  std::vector<ChunkReader> readers_;
  std::vector<Slot> slots_;
  ExtentSet excused_;  // of the step under way
  CompareReport report_;
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
