// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/backup.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "image/writer.h"
#include "job/areas.h"
#include "job/chunk_source.h"
#include "job/pipeline.h"
#include "job/progress.h"

namespace tintype {
namespace {

// What one worker owns.
struct Worker {
  FrameSealer sealer;
  ChunkHasher hasher;
};

// What one chunk in flight owns.
struct Slot {
  PlannedChunk chunk;
  std::uint64_t counter = 0;
  Bytes raw;    // unused when nothing is compressed: the content is read straight into its frame
  Bytes frame = Bytes(frame_room(kChunkBytes));
  ChunkEntry entry;
  ByteSpan sealed;
  std::vector<Extent> unreadable;
};

class Backup {
 public:
  Backup(const BackupRequest& request, JobContext& context)
      : request_(request), context_(context), source_(context, request.allow_errors, request.retries) {}

  Result<BackupReport> run() {
    areas_ = TRY(choose_areas(request_, context_.events, context_.cancel));
    TRY(open_writer());
    TRY(prepare_workers());
    std::uint64_t total = 0;
    for (const SourceArea& area : areas_) total += area.used_bytes;
    ProgressMeter meter(context_.events, "backup", total);
    for (std::size_t i = 0; i < areas_.size(); ++i) {
      meter.object(describe(areas_[i].area, request_.layout));
      TRY(save_area(i, meter));
    }
    TRY(context_.cancel.check());
    TRY(writer_->finish(context_.clock));
    meter.finish();
    return report();
  }

 private:
  Catalog prologue() const {
    Catalog catalog;
    catalog.created = context_.clock.now().time_since_epoch().count();
    catalog.program = request_.program;
    catalog.host = request_.host;
    catalog.description = request_.description;
    catalog.consistency = request_.consistency;
    catalog.compression = request_.compression;
    catalog.source = request_.drive->info();
    catalog.layout = request_.layout;
    for (const SourceArea& area : areas_) catalog.areas.push_back(area.area);
    return catalog;
  }

  Result<void> open_writer() {
    ImageWriterOptions options;
    options.image = request_.image;
    options.max_part_bytes = request_.max_part_bytes != 0 ? request_.max_part_bytes : request_.place->max_file_bytes().value_or(0);
    options.password = request_.password;
    options.encrypt = request_.encrypt;
    options.make_room = [this](const Error& error) {
      const Answer answer = context_.events.ask(
          {QuestionKind::abort_retry_ignore, "place-full",
           fmt::format("{}. Make room there and retry, or abort?", error.message()), {}});
      return answer == Answer::retry && !context_.cancel.cancelled();
    };
    writer_ = TRY(ImageWriter::create(request_.place, std::move(options), prologue(), context_.random));
    if (request_.keep_failed) writer_->keep_unfinished();
    return {};
  }

  Result<void> prepare_workers() {
    const unsigned count = worker_count(context_.workers);
    for (unsigned i = 0; i < count; ++i) workers_.push_back({TRY(writer_->chunk_sealer()), ChunkHasher()});
    slots_.resize(slot_count(count));
    if (request_.compression != 0)
      for (Slot& slot : slots_) slot.raw.resize(kChunkBytes);
    const Bytes zeros(kChunkBytes);
    zero_hash_ = workers_.front().hasher.hash(zeros);
    return {};
  }

  Result<void> save_area(std::size_t index, ProgressMeter& meter) {
    SourceArea& area = areas_[index];
    TRY(writer_->begin_area(index));
    ChunkPlanner planner(area.drive, TRY(area.used_map()));
    PipelineSteps steps;
    steps.produce = [&](std::size_t slot) -> Result<bool> {
      std::optional<PlannedChunk> chunk = TRY(planner.next());
      if (!chunk) return false;
      slots_[slot].chunk = std::move(*chunk);
      slots_[slot].counter = next_counter_++;
      return true;
    };
    steps.work = [&](unsigned worker, std::size_t slot) {
      return make_frame(workers_[worker], slots_[slot], *area.drive, static_cast<std::uint32_t>(index));
    };
    steps.consume = [&](std::size_t slot) { return store(slots_[slot], meter); };
    TRY(run_pipeline(static_cast<unsigned>(workers_.size()), slots_.size(), context_.cancel, steps));
    return writer_->end_area();
  }

  Result<void> make_frame(Worker& worker, Slot& slot, Drive& area, std::uint32_t index) {
    const PlannedChunk& chunk = slot.chunk;
    slot.entry = {};
    slot.entry.kind = ChunkEntry::Kind::zero;
    slot.sealed = {};
    slot.unreadable.clear();
    const auto length = static_cast<std::size_t>(chunk.extent.length);
    const MutableByteSpan frame(slot.frame);
    const MutableByteSpan content = slot.raw.empty() ? frame.subspan(kContentAt, length) : MutableByteSpan(slot.raw).first(length);
    if (chunk.hole) {
      // The hash of a whole chunk of zeros is known: terabytes of holes cost no memory traffic.
      if (length != kChunkBytes) std::fill(content.begin(), content.end(), std::byte{0});
    } else {
      slot.unreadable = TRY(source_.read(area, chunk, content));
      slot.entry.unreadable = !slot.unreadable.empty();
    }
    if (chunk.hole || all_zero(content)) {
      slot.entry.hash = length == kChunkBytes ? zero_hash_ : worker.hasher.hash(content);
      return {};
    }
    slot.entry.kind = ChunkEntry::Kind::stored;
    slot.entry.hash = worker.hasher.hash(content);
    slot.sealed = TRY(worker.sealer.seal(FrameType::chunk, {index, chunk.number}, slot.counter, content, frame));
    return {};
  }

  Result<void> store(const Slot& slot, ProgressMeter& meter) {
    TRY(writer_->add({slot.chunk.number, slot.entry, slot.sealed, slot.chunk.used, slot.unreadable}));
    std::uint64_t bytes = 0;
    for (const Extent& extent : slot.chunk.used) bytes += extent.length;
    meter.advance(bytes);
    return {};
  }

  BackupReport report() const {
    BackupReport report;
    for (const Area& area : writer_->catalog().areas) {
      report.used_bytes += area.used_bytes;
      report.unreadable_bytes += area.unreadable_bytes;
    }
    report.image_bytes = writer_->total_bytes();
    report.set_id = to_hex(writer_->set_id());
    if (report.unreadable_bytes > 0) report.outcome = Outcome::with_bad_sectors;
    return report;
  }

  const BackupRequest& request_;
  JobContext& context_;
  ChunkSource source_;
  std::vector<SourceArea> areas_;
  std::unique_ptr<ImageWriter> writer_;
  std::vector<Worker> workers_;
  std::vector<Slot> slots_;
  Hash zero_hash_{};
  std::uint64_t next_counter_ = 0;
};

}  // namespace

Result<BackupReport> run_backup(const BackupRequest& request, JobContext& context) {
  OrderlyEvents events(context.events);
  JobContext orderly{events, context.cancel, context.clock, context.random, context.workers};
  return Backup(request, orderly).run();
}

}  // namespace tintype
