// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/backup.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "image/part_names.h"
#include "image/writer.h"
#include "job/areas.h"
#include "job/base_index.h"
#include "job/base_match.h"
#include "job/chunk_maker.h"
#include "job/parity.h"
#include "job/pipeline.h"
#include "job/progress.h"

namespace tintype {
namespace {

// Why an image that was begun cannot become this one; empty if it can.
std::string why_not_continued(Unfinished& unfinished, const Catalog& now, const BackupRequest& request) {
  const PartHeader& header = unfinished.header();
  const Catalog& then = unfinished.prologue();
  if (header.base_id != (request.base ? request.base->image->header().set_id : SetId{})) return "it builds on another image";
  const bool encrypt = request.encrypt || (request.base && request.base->image->header().encrypted);
  if (header.encrypted != encrypt || header.password_needed != request.password.has_value()) return "it is protected in another way";
  if (then.source.size_bytes != now.source.size_bytes || then.layout.signature_text() != now.layout.signature_text()) return "it is of another drive";
  const auto same = [](const Area& a, const Area& b) {
    return a.kind == b.kind && a.number == b.number && a.partition == b.partition && a.start_byte == b.start_byte && a.size_bytes == b.size_bytes;
  };
  if (!std::ranges::equal(then.areas, now.areas, same)) return "it is of other partitions, or they were moved";
  return {};
}

class Backup {
 public:
  Backup(const BackupRequest& request, JobContext& context)
      : request_(request), context_(context), source_(context, request.allow_errors, request.retries) {}

  Result<BackupReport> run() {
    areas_ = TRY(choose_areas(choice_of(request_), context_.events, context_.cancel));
    TRY(number_areas());
    for (SourceArea& area : areas_) total_ += area.used_bytes;
    prologue_ = make_prologue();
    if (request_.resume) TRY(find_unfinished());
    TRY(open_writer());
    TRY(prepare_workers());
    if (base_ && request_.multi_pass) TRY(find_changes());
    ProgressMeter meter(context_.events, "backup", total_);
    for (std::size_t i = 0; i < areas_.size(); ++i) {
      meter.object(describe(areas_[i].area, request_.layout));
      TRY(writer_->begin_area(i));
      TRY(go_through(i, meter, false));
      TRY(writer_->end_area());
    }
    TRY(context_.cancel.check());
    meter.finish();
    TRY(check_base());
    TRY(writer_->finish(context_.clock));
    return report();
  }

 private:
  // An area keeps the number of its earlier state.
  Result<void> number_areas() {
    std::uint32_t next = 0;
    if (!request_.base) {
      for (SourceArea& area : areas_) area.area.number = next++;
      return {};
    }
    const Catalog& base = request_.base->image->catalog();
    if (base.links.size() >= kMaxLinks) return fail(ErrorCode::usage, "the chain has too many images", "make a full image, or consolidate the chain");
    std::vector<Area> areas;
    for (const SourceArea& area : areas_) areas.push_back(area.area);
    const std::vector<std::optional<std::size_t>> matched = match_areas(base, areas, request_.layout);
    for (const Area& area : base.areas) next = std::max(next, area.number + 1);
    for (std::size_t i = 0; i < areas_.size(); ++i) areas_[i].area.number = matched[i] ? base.areas[*matched[i]].number : next++;
    base_.emplace(request_.base->image, matched);
    base_data_.emplace(*base_, context_);
    return {};
  }

  Catalog make_prologue() const {
    Catalog catalog;
    catalog.created = context_.clock.now().time_since_epoch().count();
    catalog.program = request_.program;
    catalog.host = request_.host;
    catalog.description = request_.description;
    catalog.consistency = request_.consistency;
    catalog.compression = request_.compression;
    catalog.source = request_.drive->info();
    if (!request_.source_path.empty()) catalog.source.path = request_.source_path;
    catalog.layout = request_.layout;
    for (const SourceArea& area : areas_) catalog.areas.push_back(area.area);
    if (!request_.base) return catalog;
    ImageReader& base = *request_.base->image;
    catalog.kind = base.catalog().links.empty() ? "differential" : "incremental";
    catalog.links = base.catalog().links;
    catalog.links.push_back({base.header().set_id, base.parts().trailer().catalog_hash, base.catalog().kind, request_.base->name,
                             request_.base->folder, base.catalog().created});
    return catalog;
  }

  // What a run that was cut off left of this image. It must have been of the same areas; that the data is still the same is found out
  // chunk by chunk.
  Result<void> find_unfinished() {
    const PasswordSource password = [this]() -> Result<std::string> {
      if (request_.password) return *request_.password;
      return fail(ErrorCode::denied, fmt::format("the unfinished image {} is protected by a password", request_.place->describe(request_.image)),
                  "go on with the same --encryption and password, or leave out --resume to begin it anew");
    };
    unfinished_ = TRY(Unfinished::open(request_.place, request_.image, password));
    if (!unfinished_) {
      context_.events.info("there is nothing to go on with: the image is begun anew");
      return {};
    }
    const std::string why = why_not_continued(*unfinished_, prologue_, request_);
    if (why.empty()) return {};
    return fail(ErrorCode::refused, fmt::format("the unfinished image {} cannot be continued: {}", request_.place->describe(request_.image), why),
                "leave out --resume to begin it anew");
  }

  Result<void> open_writer() {
    ImageWriterOptions options;
    options.image = request_.image;
    options.max_part_bytes = request_.max_part_bytes != 0 ? request_.max_part_bytes : request_.place->max_file_bytes().value_or(0);
    options.password = request_.password;
    options.encrypt = request_.encrypt;
    options.resumable = true;
    if (base_) options.base = writer_base();
    if (unfinished_)
      options.pages.push_back([this](std::size_t area, std::uint64_t region) { return unfinished_->page(areas_[area].area.number, region); });
    if (base_) options.pages.push_back([this](std::size_t area, std::uint64_t region) { return base_->page(area, region); });
    options.make_room = [this](const Error& error) {
      const Answer answer = context_.events.ask(
          {QuestionKind::abort_retry_ignore, "place-full",
           fmt::format("{}. Make room there and retry, or abort?", error.message()), {}});
      return answer == Answer::retry && !context_.cancel.cancelled();
    };
    if (request_.parity_percent != 0)
      options.add_parity = parity_adder(*request_.place, request_.image, request_.parity_percent, options.make_room, context_, parity_bytes_);
    writer_ = unfinished_ ? TRY(ImageWriter::resume(request_.place, std::move(options), prologue_, *unfinished_, context_.random))
                          : TRY(ImageWriter::create(request_.place, std::move(options), prologue_, context_.random));
    if (request_.keep_failed) writer_->keep_unfinished();
    return {};
  }

  // An image whose base went meanwhile would be of no use, and its success a lie. What cannot be looked at now is taken to be there.
  Result<void> check_base() {
    if (!request_.base) return {};
    const PartReader& parts = request_.base->image->parts();
    const Result<PartHeader> now = read_part_header(*parts.place(), parts.image());
    const bool other = now ? now->set_id != parts.header().set_id
                           : now.error().code == ErrorCode::not_found || now.error().code == ErrorCode::corrupt;
    if (!other || LinkFinder(request_.place, {{parts.place(), parts.image()}}).has(prologue_.links.back())) return {};
    writer_->keep_unfinished();
    return fail(ErrorCode::not_found, fmt::format("the base {} was replaced or removed while the backup ran, and nothing could be restored without it", parts.describe(0)),
                "put it back and go on with --resume");
  }

  WriterBase writer_base() {
    ImageReader& image = *request_.base->image;
    WriterBase base;
    base.set_id = image.header().set_id;
    if (image.header().encrypted) base.data_key = image.data_key();
    return base;
  }

  Result<void> prepare_workers() {
    const unsigned count = worker_count(context_.workers);
    for (unsigned i = 0; i < count; ++i)
      makers_.push_back(std::make_unique<ChunkMaker>(TRY(writer_->chunk_sealer()), source_, base_data_ ? &*base_data_ : nullptr));
    slots_ = std::vector<ChunkInFlight>(slot_count(count));
    // A delta needs the content beside its frame, as compression does.
    if (request_.compression != 0 || base_)
      for (ChunkInFlight& slot : slots_) slot.raw.resize(kChunkBytes);
    return {};
  }

  // The first of two passes: which chunks changed.
  Result<void> find_changes() {
    ProgressMeter meter(context_.events, "find changes", total_);
    for (std::size_t i = 0; i < areas_.size(); ++i) {
      meter.object(describe(areas_[i].area, request_.layout));
      // What is in use only when the second pass comes is read then.
      changed_.emplace_back(static_cast<std::size_t>(div_round_up(areas_[i].area.size_bytes, kChunkBytes)), true);
      TRY(go_through(i, meter, true));
    }
    looked_ = true;
    meter.finish();
    return {};
  }

  bool known_same(std::size_t area, std::uint64_t chunk) const { return looked_ && !changed_[area][static_cast<std::size_t>(chunk)]; }

  // Data that lies elsewhere than in the base, to be found before it is saved anew.
  Result<std::unique_ptr<MovedBlocks>> find_moved(std::size_t index) {
    if (!base_) return std::unique_ptr<MovedBlocks>();
    const std::unique_ptr<ExtentStream> used = TRY(areas_[index].used_map());
    return MovedBlocks::gather(*base_data_, index, areas_[index].area.size_bytes, *used, context_);
  }

  Result<void> go_through(std::size_t index, ProgressMeter& meter, bool look_only) {
    SourceArea& area = areas_[index];
    const std::unique_ptr<MovedBlocks> moved = look_only ? nullptr : TRY(find_moved(index));
    for (const auto& maker : makers_) maker->look_in(moved.get());
    ChunkPlanner planner(area.drive, TRY(area.used_map()), [&](std::uint64_t chunk) { return !known_same(index, chunk); });
    PipelineSteps steps;
    steps.produce = [&](std::size_t slot) -> Result<bool> {
      std::optional<PlannedChunk> planned = TRY(planner.next());
      if (!planned) return false;
      ChunkInFlight& chunk = slots_[slot];
      chunk.area = static_cast<std::uint32_t>(index);
      chunk.area_number = area.area.number;
      chunk.counter = next_counter_++;
      if (base_) chunk.earlier = TRY(base_->entry(index, planned->number));
      if (unfinished_) chunk.saved = TRY(unfinished_->entry(area.area.number, planned->number));
      chunk.known_same = known_same(index, planned->number);
      chunk.planned = std::move(*planned);
      return true;
    };
    steps.work = [&](unsigned worker, std::size_t slot) { return makers_[worker]->make(slots_[slot], *area.drive, look_only); };
    steps.consume = [&](std::size_t slot) -> Result<void> {
      const ChunkInFlight& chunk = slots_[slot];
      std::uint64_t bytes = 0;
      for (const Extent& extent : chunk.planned.used) bytes += extent.length;
      if (look_only)
        changed_[index][static_cast<std::size_t>(chunk.planned.number)] = chunk.changed || !chunk.unreadable.empty();
      else
        TRY(store(chunk, bytes));
      meter.advance(bytes);
      return {};
    };
    return run_pipeline(static_cast<unsigned>(makers_.size()), slots_.size(), context_.cancel, steps);
  }

  Result<void> store(const ChunkInFlight& chunk, std::uint64_t bytes) {
    if (chunk.changed) changed_bytes_ += bytes;
    if (chunk.continued) continued_bytes_ += chunk.entry.place.bytes;
    for (const Extent& lost : chunk.unreadable) add_damage(unreadable_, writer_->catalog().areas[chunk.area], prologue_.layout, lost);
    return writer_->add({chunk.planned.number, chunk.entry, chunk.sealed, chunk.planned.used, chunk.unreadable});
  }

  BackupReport report() const {
    BackupReport report;
    report.unreadable = unreadable_;
    for (const Area& area : writer_->catalog().areas) {
      report.used_bytes += area.used_bytes;
      report.unreadable_bytes += area.unreadable_bytes;
    }
    report.changed_bytes = changed_bytes_;
    report.continued_bytes = continued_bytes_;
    report.kind = prologue_.kind;
    report.image_bytes = writer_->total_bytes();
    report.parity_bytes = parity_bytes_;
    report.set_id = to_hex(writer_->set_id());
    if (report.unreadable_bytes > 0) report.outcome = Outcome::with_bad_sectors;
    return report;
  }

  std::vector<PartitionDamage> unreadable_;
  const BackupRequest& request_;
  JobContext& context_;
  ChunkSource source_;
  std::vector<SourceArea> areas_;
  std::uint64_t total_ = 0;  // used bytes of all of them
  Catalog prologue_;
  std::optional<BaseIndex> base_;
  std::optional<BaseData> base_data_;
  std::unique_ptr<Unfinished> unfinished_;
  std::unique_ptr<ImageWriter> writer_;
  std::vector<std::unique_ptr<ChunkMaker>> makers_;
  std::vector<ChunkInFlight> slots_;
  std::vector<std::vector<bool>> changed_;  // with two passes: a bit for each chunk of each area
  bool looked_ = false;                     // the first pass is over
  std::uint64_t next_counter_ = 0;
  std::uint64_t changed_bytes_ = 0;
  std::uint64_t continued_bytes_ = 0;
  std::uint64_t parity_bytes_ = 0;
};

}  // namespace

Result<BackupReport> run_backup(const BackupRequest& request, JobContext& context) {
  OrderlyEvents events(context.events);
  JobContext orderly{events, context.cancel, context.clock, context.random, context.workers};
  return Backup(request, orderly).run();
}

}  // namespace tintype
