// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/base_index.h"

namespace tintype {
namespace {
constexpr std::size_t kKeptPages = 4;
}

BaseIndex::BaseIndex(std::shared_ptr<ImageReader> base, std::vector<std::optional<std::size_t>> areas)
    : base_(std::move(base)), areas_(std::move(areas)) {}

Result<std::shared_ptr<const EarlierPage>> BaseIndex::load(std::size_t area, std::uint64_t region) {
  const std::size_t base_area = *areas_[area];
  if (region >= region_count(base_->catalog().areas[base_area].size_bytes)) return std::shared_ptr<const EarlierPage>();
  const std::uint64_t group = region / kRegionsPerDirectory;
  if (group_area_ != base_area || group_number_ != group) {
    group_ = TRY(base_->directory(base_area, group));
    group_area_ = base_area;
    group_number_ = group;
  }
  PageRef ref = group_[static_cast<std::size_t>(region % kRegionsPerDirectory)];
  if (!ref.present) return std::shared_ptr<const EarlierPage>();
  Page page = *TRY(base_->page(base_area, region, ref));
  page.seen_from(link());
  if (ref.place.link == 0) ref.place.link = link();
  return std::make_shared<const EarlierPage>(EarlierPage{ref, std::make_shared<const Page>(std::move(page))});
}

Result<std::shared_ptr<const EarlierPage>> BaseIndex::page(std::size_t area, std::uint64_t region) {
  if (!areas_[area]) return std::shared_ptr<const EarlierPage>();
  const std::lock_guard lock(mutex_);
  for (auto at = kept_.begin(); at != kept_.end(); ++at) {
    if (at->area != area || at->region != region) continue;
    kept_.splice(kept_.begin(), kept_, at);
    return at->page;
  }
  std::shared_ptr<const EarlierPage> found = TRY(load(area, region));
  kept_.push_front({area, region, found});
  if (kept_.size() > kKeptPages) kept_.pop_back();
  return found;
}

Result<ChunkEntry> BaseIndex::entry(std::size_t area, std::uint64_t chunk) {
  const std::shared_ptr<const EarlierPage> found = TRY(page(area, chunk / kChunksPerRegion));
  const auto in_region = static_cast<std::size_t>(chunk % kChunksPerRegion);
  if (!found || in_region >= found->page->entries.size()) return ChunkEntry{};
  return found->page->entries[in_region];
}

std::vector<FramePlace> BaseIndex::within_base(std::vector<FramePlace> frames) const {
  for (FramePlace& place : frames)
    if (place.link == link()) place.link = 0;
  return frames;
}

}  // namespace tintype
