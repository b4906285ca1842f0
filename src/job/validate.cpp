// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "job/areas.h"
#include "job/image_walk.h"
#include "job/passes.h"
#include "job/pipeline.h"
#include "job/progress.h"

namespace tintype {
namespace {

constexpr std::size_t kMostListed = 1000;

struct Slot {
  ImageChunk chunk;
  Bytes content;
  std::optional<Error> damage;
  bool out_of_reach = false;  // it lies in an earlier image that is not there
};

class Validation {
 public:
  Validation(std::shared_ptr<ImageReader> image, JobContext& context, bool multi_pass)
      : image_(std::move(image)), context_(context), passes_(passes_over(image_->catalog(), multi_pass)) {}

  Result<ValidateReport> run() {
    const unsigned count = worker_count(context_.workers);
    for (unsigned i = 0; i < count; ++i) readers_.emplace_back(image_);
    slots_.resize(slot_count(count));
    std::uint64_t total = 0;
    for (const Area& area : image_->catalog().areas) total += area.used_bytes;
    ProgressMeter meter(context_.events, "validate", total);
    check_links();
    check_prologue();
    see(image_->parts().trailer().catalog);
    const Catalog& catalog = image_->catalog();
    out_of_reach_.assign(catalog.areas.size(), 0);
    for (const Pass& pass : passes_) {
      for (std::size_t i = 0; i < catalog.areas.size(); ++i) {
        meter.object(describe(catalog.areas[i], catalog.layout));
        TRY(check_area(i, pass, meter));
      }
    }
    check_coverage();
    meter.finish();
    return std::move(report_);
  }

 private:
  void see(const FramePlace& place) {
    // A place that cannot be is reported when it is read.
    if (place.link == 0 && place.part < image_->parts().parts() && checked_add(place.offset, place.bytes))
      seen_[place.part].add({place.offset, place.bytes});
  }

  void add_damage(const Error& error, std::optional<std::size_t> area, Extent bytes) {
    ++report_.damage_count;
    if (report_.damage.size() >= kMostListed) return;
    Damage damage;
    damage.what = error.message();
    damage.bytes = bytes;
    if (area) damage.area = describe(image_->catalog().areas[*area], image_->catalog().layout);
    report_.damage.push_back(std::move(damage));
  }

  // An earlier image that is not there is told once, not for each of its chunks.
  void check_links() {
    const auto count = static_cast<std::uint32_t>(image_->catalog().links.size());
    lost_links_.assign(count + 1, false);
    for (std::uint32_t link = 1; link <= count; ++link) {
      const Result<Catalog> catalog = image_->link_catalog(link);
      if (catalog) continue;
      lost_links_[link] = true;
      add_damage(catalog.error(), std::nullopt, {});
    }
  }

  bool needs_lost_link(const ChunkEntry& entry) const {
    bool lost = false;
    entry.each_place([&](const FramePlace& place) { lost |= place.link < lost_links_.size() && lost_links_[place.link]; });
    return lost;
  }

  void check_prologue() {
    Bytes frame(kFrameHeaderBytes), content;
    const auto check = [&]() -> Result<void> {
      const std::shared_ptr<ReadFile> file = TRY(image_->parts().part(0));
      TRY(file->read(kPartHeaderBytes, frame));
      const FrameHeader header = TRY(FrameHeader::decode(frame));
      const FramePlace place{0, 0, kPartHeaderBytes, static_cast<std::uint32_t>(kFrameHeaderBytes + header.stored_bytes)};
      TRY(image_->parts().read(place, frame));
      FrameOpener opener(image_->data_key());
      const OpenedFrame opened = TRY(opener.open(frame, kMaxRawBytes, content));
      if (opened.header.type != FrameType::prologue || opened.address != FrameAddress{} ||
          opened.header.encrypted != image_->header().encrypted)
        return fail(ErrorCode::corrupt, "the first record is not the prologue");
      see(place);
      return {};
    };
    if (Result<void> result = check(); !result)
      add_damage(std::move(result).error().within(image_->parts().describe(0)), std::nullopt, {});
  }

  // What is said of the index is said in the last pass.
  Result<void> check_area(std::size_t area, const Pass& pass, ProgressMeter& meter) {
    ImageWalk walk(image_, area, pass.last ? ImageWalk::IndexVisitor([this](const FramePlace& place) { see(place); }) : nullptr);
    PipelineSteps steps;
    steps.produce = [&](std::size_t slot) -> Result<bool> {
      while (true) {
        Result<std::optional<ImageChunk>> chunk = walk.next();
        if (!chunk) {
          TRY(context_.cancel.check());
          if (!pass.last) continue;
          index_damage_ = true;
          if (pending_.size() < kMostListed)
            pending_.push_back({std::move(chunk).error(), walk.failed_region()});
          else
            ++report_.damage_count;
          continue;
        }
        if (!*chunk) return false;
        if (!pass.takes((*chunk)->entry)) continue;
        slots_[slot].chunk = std::move(**chunk);
        slots_[slot].chunk.entry.each_place([this](const FramePlace& place) { see(place); });
        return true;
      }
    };
    steps.work = [&](unsigned worker, std::size_t slot) -> Result<void> {
      Slot& s = slots_[slot];
      s.damage.reset();
      s.out_of_reach = needs_lost_link(s.chunk.entry);
      if (!s.chunk.entry.has_frame() || s.out_of_reach) return {};
      Result<void> result = readers_[worker].read(area, s.chunk.number, s.chunk.extent.length, s.chunk.entry, s.content);
      if (!result) s.damage = std::move(result).error();
      return {};
    };
    steps.consume = [&](std::size_t slot) -> Result<void> {
      const Slot& s = slots_[slot];
      if (s.damage) {
        add_damage(*s.damage, area, s.chunk.extent);
        const Catalog& catalog = image_->catalog();
        for (const Extent& extent : s.chunk.used) tintype::add_damage(report_.partitions, catalog.areas[area], catalog.layout, extent);
      }
      std::uint64_t bytes = 0;
      for (const Extent& extent : s.chunk.used) bytes += extent.length;
      if (s.out_of_reach) out_of_reach_[area] += bytes;
      if (!s.damage && !s.out_of_reach) report_.checked_bytes += bytes;
      meter.advance(bytes);
      return {};
    };
    TRY(run_pipeline(static_cast<unsigned>(readers_.size()), slots_.size(), context_.cancel, steps));
    for (const auto& [error, region] : pending_) add_damage(error, area, region);
    pending_.clear();
    if (pass.last && out_of_reach_[area] > 0)
      add_damage(make_error(ErrorCode::not_found, fmt::format("{} bytes of it lie in earlier images that cannot be read", out_of_reach_[area])), area, {});
    return {};
  }

  // Every byte between the header and the end must belong to a record that was read.
  void check_coverage() {
    PartReader& parts = image_->parts();
    for (std::uint32_t i = 0; i < parts.parts(); ++i) {
      const Result<std::shared_ptr<ReadFile>> file = parts.part(i);
      if (!file) {
        add_damage(file.error(), std::nullopt, {});
        continue;
      }
      if (index_damage_) continue;  // what the lost pages point to cannot be told from a stray record
      const std::uint64_t end = (*file)->size() - (i + 1 == parts.parts() ? kTrailerBytes : 0);
      std::uint64_t at = kPartHeaderBytes;
      for (const Extent& extent : seen_[i].items()) {
        if (extent.start > at) check_gap(i, **file, {at, extent.start - at});
        at = std::max(at, extent.end());
      }
      if (at < end) check_gap(i, **file, {at, end - at});
    }
  }

  // An image that was continued may hold whole frames that a later one took the place of.
  void check_gap(std::uint32_t part, ReadFile& file, Extent gap) {
    if (image_->catalog().sessions > 1) {
      Bytes frame(kFrameHeaderBytes);
      while (gap.length >= kFrameHeaderBytes) {
        frame.resize(kFrameHeaderBytes);
        if (!file.read(gap.start, frame)) break;
        const Result<FrameHeader> header = FrameHeader::decode(frame);
        if (!header || header->stored_bytes > gap.length - kFrameHeaderBytes) break;
        frame.resize(kFrameHeaderBytes + header->stored_bytes);
        if (!file.read(gap.start, frame) || frame_checksum(ByteSpan(frame).subspan(kFrameHeaderBytes)) != header->payload_checksum) break;
        gap = {gap.start + frame.size(), gap.length - frame.size()};
      }
    }
    if (gap.length > 0) add_stray(part, gap);
  }

  void add_stray(std::uint32_t part, Extent bytes) {
    Error error = make_error(ErrorCode::corrupt, fmt::format("{} has {} bytes that belong to nothing", image_->parts().describe(part), bytes.length));
    error.offset_bytes = bytes.start;
    add_damage(error, std::nullopt, {});
  }

  std::shared_ptr<ImageReader> image_;
  JobContext& context_;
  std::vector<Pass> passes_;
  std::vector<ChunkReader> readers_;
  std::vector<Slot> slots_;
  std::map<std::uint32_t, ExtentSet> seen_;
  std::vector<std::pair<Error, Extent>> pending_;
  bool index_damage_ = false;
  std::vector<bool> lost_links_;             // by link
  std::vector<std::uint64_t> out_of_reach_;  // bytes of each area that lie in them
  ValidateReport report_;
};

}  // namespace

Result<ValidateReport> run_validate(std::shared_ptr<ImageReader> image, JobContext& context, bool multi_pass) {
  return Validation(std::move(image), context, multi_pass).run();
}

}  // namespace tintype
