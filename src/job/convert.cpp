// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/convert.h"

#include <algorithm>

#include "job/pipeline.h"
#include "job/progress.h"

namespace tintype {
namespace {

constexpr std::uint64_t kPieceBytes = 1U << 20;
constexpr std::uint64_t kAheadBytes = 8U << 20;

struct Piece {
  Extent extent;
  Bytes bytes;
};

}  // namespace

Result<ConvertReport> run_convert(std::shared_ptr<Drive> source, std::shared_ptr<Drive> target, JobContext& context) {
  const std::uint64_t size = source->size_bytes();
  const unsigned workers = worker_count(context.workers);
  std::vector<Piece> slots(slot_count(workers));
  ProgressMeter meter(context.events, "convert", size);
  ConvertReport report;
  std::uint64_t at = 0, reported = 0;
  Extent run;  // of data that is not handed out yet
  PipelineSteps steps;
  steps.produce = [&](std::size_t slot) -> Result<bool> {
    while (run.length == 0) {
      if (at >= size) return false;
      const BlockStatus status = TRY(source->status(at, size - at));
      if (status.state == BlockState::data) run = status.extent;
      at = status.extent.end();
    }
    // Pieces end where chunks do, so that each is decoded for one worker only.
    const std::uint64_t length = std::min(run.length, kPieceBytes - run.start % kPieceBytes);
    slots[slot].extent = {run.start, length};
    run = {run.start + length, run.length - length};
    if (run.length > 0) source->will_need(run.start, std::min(run.length, kAheadBytes));
    return true;
  };
  steps.work = [&](unsigned, std::size_t slot) -> Result<void> {
    Piece& piece = slots[slot];
    piece.bytes.resize(static_cast<std::size_t>(piece.extent.length));
    TRY(source->read(piece.extent.start, piece.bytes));
    return target->write(piece.extent.start, piece.bytes);
  };
  steps.consume = [&](std::size_t slot) -> Result<void> {
    const Extent& done = slots[slot].extent;
    report.data_bytes += done.length;
    meter.advance(done.end() - reported);
    reported = done.end();
    return {};
  };
  TRY(run_pipeline(workers, slots.size(), context.cancel, steps));
  TRY(target->flush());
  meter.finish();
  return report;
}

}  // namespace tintype
