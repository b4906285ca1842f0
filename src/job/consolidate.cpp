// SPDX-License-Identifier: GPL-3.0-or-later
// How: every chunk of the image is an entry that names the frames it is made of, wherever in the chain they lie. Workers read
// those that have to travel and check them; the consumer appends them, what a delta builds on first, and writes new index pages with
// their new places. Addresses of frames say area and chunk, not image, and a chain has one data key: so they stay valid. A chunk that
// takes data from another one, whose frames would have to travel with it, is made anew without that.
#include "job/consolidate.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "image/part_names.h"
#include "image/writer.h"
#include "job/areas.h"
#include "job/chunk_remaker.h"
#include "job/frame_copier.h"
#include "job/image_walk.h"
#include "job/pipeline.h"
#include "job/progress.h"
#include "job/remove_images.h"
#include "job/validate.h"

namespace tintype {
namespace {

constexpr std::size_t kMaxFrames = kMaxDeltaBases + 1;  // of one chunk

struct ChunkOnTheWay {
  ImageChunk chunk;
  std::uint64_t counter = 0;  // of the first of its frames, should they be sealed again
  std::vector<Bytes> frames = std::vector<Bytes>(kMaxFrames);  // those that travel, in the order of places_of()
  Bytes remade;  // the chunk's own frame instead, if it had to be made anew
};

// The places of an entry's frames, in the order of decoding; what it takes from other chunks never travels.
std::vector<FramePlace*> places_of(ChunkEntry& entry) {
  std::vector<FramePlace*> places;
  places.reserve(entry.bases.size() + 1);
  for (FramePlace& base : entry.bases) places.push_back(&base);
  if (entry.has_frame()) places.push_back(&entry.place);
  return places;
}

class Consolidation {
 public:
  Consolidation(const ConsolidateRequest& request, JobContext& context) : request_(request), context_(context), image_(request.image) {}

  Result<ConsolidateReport> run() {
    // Whatever is missing is named before anything is written.
    TRY(image_->check_links());
    TRY(open_writer());
    TRY(prepare_workers());
    std::uint64_t total = 0;
    for (const Area& area : image_->catalog().areas) total += area.used_bytes;
    ProgressMeter meter(context_.events, "consolidate", total);
    for (std::size_t i = 0; i < image_->catalog().areas.size(); ++i) {
      meter.object(describe(image_->catalog().areas[i], image_->catalog().layout));
      TRY(writer_->begin_area(i));
      TRY(copy_area(i, meter));
      TRY(writer_->end_area());
    }
    TRY(context_.cancel.check());
    TRY(writer_->finish(context_.clock));
    meter.finish();
    return report();
  }

 private:
  bool full() const { return request_.base_link == 0; }
  // Frames of the images that the new one builds on stay where they are: their numbers in the chain do not change.
  bool travels(const FramePlace& place) const { return place.link == 0 || place.link > request_.base_link; }

  Catalog make_prologue() const {
    Catalog catalog = image_->catalog();
    catalog.links.resize(request_.base_link);
    catalog.kind = full() ? "full" : request_.base_link == 1 ? "differential" : "incremental";
    catalog.finished = 0;
    catalog.sessions = 1;
    catalog.part_bytes.clear();
    if (!request_.program.empty()) catalog.program = request_.program;
    if (request_.description) catalog.description = *request_.description;
    for (Area& area : catalog.areas) {
      area.directories.clear();
      area.used_bytes = area.stored_bytes = area.unreadable_bytes = 0;
    }
    return catalog;
  }

  Result<void> open_writer() {
    const PartHeader& header = image_->header();
    if (header.password_needed && !request_.password)
      return fail(ErrorCode::denied, "an image made of protected ones needs their password");
    ImageWriterOptions options;
    options.image = request_.name;
    options.max_part_bytes = request_.max_part_bytes != 0 ? request_.max_part_bytes : request_.place->max_file_bytes().value_or(0);
    if (header.password_needed) options.password = request_.password;
    options.encrypt = header.encrypted;
    if (header.encrypted || !full()) options.base = TRY(inherited());
    if (!full()) options.pages.push_back([this](std::size_t area, std::uint64_t region) { return earlier_page(area, region); });
    options.make_room = [this](const Error& error) {
      const Answer answer = context_.events.ask({QuestionKind::abort_retry_ignore, "place-full",
                                                 fmt::format("{}. Make room there and retry, or abort?", error.message()), {}});
      return answer == Answer::retry && !context_.cancel.cancelled();
    };
    writer_ = TRY(ImageWriter::create(request_.place, std::move(options), make_prologue(), context_.random));
    if (request_.keep_failed) writer_->keep_unfinished();
    return {};
  }

  Result<WriterBase> inherited() {
    WriterBase base;
    if (image_->header().encrypted) base.data_key = image_->data_key();
    if (full()) return base;
    const PartReader& parts = *TRY(image_->chain().parts(request_.base_link));
    base.set_id = parts.header().set_id;
    return base;
  }

  // A region that did not change since the base: the image shares its page, and so will the new one.
  Result<std::shared_ptr<const EarlierPage>> earlier_page(std::size_t area, std::uint64_t region) {
    const std::vector<PageRef> group = TRY(image_->directory(area, region / kRegionsPerDirectory));
    const PageRef& ref = group[static_cast<std::size_t>(region % kRegionsPerDirectory)];
    if (!ref.present || travels(ref.place)) return std::shared_ptr<const EarlierPage>();
    return std::make_shared<const EarlierPage>(EarlierPage{ref, TRY(image_->page(area, region, ref))});
  }

  Result<void> prepare_workers() {
    const unsigned count = worker_count(context_.workers);
    copiers_.reserve(count);
    remakers_.reserve(count);
    for (unsigned i = 0; i < count; ++i) {
      remakers_.emplace_back(image_, TRY(writer_->chunk_sealer()));
      std::optional<FrameSealer> sealer;
      if (image_->header().encrypted) sealer.emplace(TRY(writer_->chunk_sealer()));
      copiers_.emplace_back(image_->chain(), std::move(sealer));
    }
    slots_ = std::vector<ChunkOnTheWay>(slot_count(count));
    return {};
  }

  Result<void> copy_area(std::size_t index, ProgressMeter& meter) {
    ImageWalk walk(image_, index);
    const std::uint32_t number = image_->catalog().areas[index].number;
    PipelineSteps steps;
    steps.produce = [&](std::size_t slot) -> Result<bool> {
      std::optional<ImageChunk> chunk = TRY(walk.next());
      if (!chunk) return false;
      slots_[slot].counter = next_counter_;
      next_counter_ += kMaxFrames;
      slots_[slot].chunk = std::move(*chunk);
      return true;
    };
    steps.work = [&](unsigned worker, std::size_t slot) -> Result<void> {
      TRY(remake(remakers_[worker], index, number, slots_[slot]));
      return fetch(copiers_[worker], number, slots_[slot]);
    };
    steps.consume = [&](std::size_t slot) -> Result<void> {
      TRY(store(slots_[slot]));
      for (const Extent& extent : slots_[slot].chunk.used) meter.advance(extent.length);
      return {};
    };
    return run_pipeline(static_cast<unsigned>(copiers_.size()), slots_.size(), context_.cancel, steps);
  }

  Result<void> remake(ChunkRemaker& remaker, std::size_t area, std::uint32_t area_number, ChunkOnTheWay& item) const {
    ImageChunk& chunk = item.chunk;
    const auto gone = [this](const MovedData& data) { return std::ranges::any_of(data.frames, [this](const FramePlace& place) { return travels(place); }); };
    item.remade.clear();
    if (std::ranges::none_of(chunk.entry.moved, gone)) return {};
    TRY(remaker.remake(area, {area_number, chunk.number}, chunk.extent.length, chunk.entry, item.counter + kMaxFrames - 1, item.remade));
    chunk.entry.place = {0, 0, 0, static_cast<std::uint32_t>(item.remade.size())};
    return {};
  }

  Result<void> fetch(FrameCopier& copier, std::uint32_t area_number, ChunkOnTheWay& item) const {
    const std::vector<FramePlace*> places = places_of(item.chunk.entry);
    for (std::size_t i = 0, next = 0; i < places.size(); ++i) {
      const bool own = places[i] == &item.chunk.entry.place;
      if (!travels(*places[i]) || (own && !item.remade.empty())) continue;
      // The first stands for itself, the others build on those before them.
      const bool delta = own ? item.chunk.entry.kind == ChunkEntry::Kind::delta : i > 0;
      TRY(copier.copy({area_number, item.chunk.number}, *places[i], delta, item.counter + i, item.frames[next++]));
    }
    return {};
  }

  Result<void> store(ChunkOnTheWay& item) {
    std::size_t next = 0;
    for (FramePlace& base : item.chunk.entry.bases)
      if (travels(base)) base = TRY(writer_->append_base(item.frames[next++]));
    const bool own = item.chunk.entry.has_frame() && travels(item.chunk.entry.place);
    const ByteSpan frame = !own ? ByteSpan() : item.remade.empty() ? item.frames[next] : item.remade;
    return writer_->add({item.chunk.number, item.chunk.entry, frame, item.chunk.used, item.chunk.unreadable});
  }

  ConsolidateReport report() const {
    ConsolidateReport report;
    report.set_id = to_hex(writer_->set_id());
    report.kind = writer_->catalog().kind;
    report.images = image_->catalog().links.size() - request_.base_link + 1;
    for (const Area& area : writer_->catalog().areas) report.used_bytes += area.used_bytes;
    report.image_bytes = writer_->total_bytes();
    return report;
  }

  const ConsolidateRequest& request_;
  JobContext& context_;
  std::shared_ptr<ImageReader> image_;
  std::unique_ptr<ImageWriter> writer_;
  std::vector<FrameCopier> copiers_;
  std::vector<ChunkRemaker> remakers_;
  std::vector<ChunkOnTheWay> slots_;
  std::uint64_t next_counter_ = 0;
};

// The images of the run, and those that the new one builds on, as they were found.
Result<std::vector<NamedImage>> images_of(ImageReader& image, std::uint32_t first, std::uint32_t last) {
  std::vector<NamedImage> images;
  for (std::uint32_t link = first; link <= last; ++link) {
    const PartReader& parts = *TRY(image.chain().parts(link));
    images.push_back({parts.place(), parts.image()});
  }
  return images;
}

// An image of the chain must not be replaced while the new one is made of it; another one only if that is wanted.
Result<void> check_target(const ConsolidateRequest& request, Events& events) {
  const std::string path = request.place->describe(request.name);
  if (const Result<PartHeader> there = read_part_header(*request.place, request.name)) {
    const std::vector<Link>& links = request.image->catalog().links;
    if (there->set_id == request.image->header().set_id ||
        std::ranges::any_of(links, [&](const Link& link) { return link.set_id == there->set_id; }))
      return fail(ErrorCode::refused, fmt::format("{} is an image of the chain that the new one is made of", printable(path)),
                  "give the new image another name; --replace deletes the old ones when it is complete");
  }
  if (!TRY(request.place->exists(request.name))) return {};
  const Answer answer = events.ask(
      {QuestionKind::yes_no, "replace-image", fmt::format("{} exists. Replace it when the new image is complete?", path), {path}});
  if (answer == Answer::yes) return {};
  return fail(ErrorCode::exists, fmt::format("{} exists and is not replaced", printable(path)),
              "give another name, or answer yes (--unattended-yes does)");
}

Result<void> validate_result(const ConsolidateRequest& request, JobContext& context) {
  std::vector<NamedImage> earlier = TRY(images_of(*request.image, 1, request.base_link));
  const auto finder = std::make_shared<LinkFinder>(request.place, std::move(earlier));
  const PasswordSource password = [&]() -> Result<std::string> { return request.password.value_or(""); };
  const std::shared_ptr<ImageReader> written = TRY(ImageReader::open(request.place, request.name, password, finder));
  const ValidateReport found = TRY(run_validate(written, context));
  if (found.sound()) return {};
  for (const Damage& damage : found.damage) context.events.message({Severity::error, damage.what});
  return fail(ErrorCode::corrupt, fmt::format("{} was written, but is damaged", printable(request.place->describe(request.name))),
              "the images it was made of are kept: validate them, check the place, and make it again");
}

Result<void> remove_replaced(const ConsolidateRequest& request, ConsolidateReport& report) {
  ImageReader& image = *request.image;
  RemoveRequest wanted;
  wanted.images = TRY(images_of(image, request.base_link + 1, static_cast<std::uint32_t>(image.catalog().links.size())));
  wanted.images.push_back({image.parts().place(), image.parts().image()});
  wanted.data_key = image.header().encrypted ? image.data_key() : std::nullopt;
  wanted.also_look_in.push_back(request.place);
  Result<RemoveReport> removed = remove_images(wanted);
  if (!removed) return fail(std::move(removed).error().within("the new image is complete, but the old ones are not all deleted"));
  report.removed = std::move(removed->removed);
  report.kept = std::move(removed->kept);
  return {};
}

}  // namespace

Result<ConsolidateReport> run_consolidate(const ConsolidateRequest& request, JobContext& context) {
  OrderlyEvents events(context.events);
  JobContext orderly{events, context.cancel, context.clock, context.random, context.workers};
  if (request.base_link > request.image->catalog().links.size()) return fail(ErrorCode::usage, "the chain is not that long");
  if (request.remove_replaced && !request.validate) return fail(ErrorCode::usage, "images are deleted only after the new one was validated");
  TRY(check_target(request, events));
  ConsolidateReport report = TRY(Consolidation(request, orderly).run());
  if (request.validate) TRY(validate_result(request, orderly));
  if (request.remove_replaced) TRY(remove_replaced(request, report));
  return report;
}

}  // namespace tintype
