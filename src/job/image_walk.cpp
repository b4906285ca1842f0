// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/image_walk.h"

#include <algorithm>

namespace tintype {
namespace {

// The parts of `extents` inside `window`; `at` moves on, as windows come in ascending order.
std::vector<Extent> take(const std::vector<Extent>& extents, std::size_t& at, Extent window) {
  std::vector<Extent> out;
  while (at < extents.size() && extents[at].end() <= window.start) ++at;
  for (std::size_t i = at; i < extents.size() && extents[i].start < window.end(); ++i) {
    const std::uint64_t start = std::max(extents[i].start, window.start);
    out.push_back({start, std::min(extents[i].end(), window.end()) - start});
  }
  return out;
}

}  // namespace

ImageWalk::ImageWalk(std::shared_ptr<ImageReader> image, std::size_t area, IndexVisitor visitor)
    : image_(std::move(image)), area_(area), area_bytes_(image_->catalog().areas[area].size_bytes), visitor_(std::move(visitor)) {}

Result<std::optional<ImageChunk>> ImageWalk::next() {
  while (true) {
    while (page_ && chunk_ < page_->entries.size()) {
      ImageChunk chunk = make_chunk(chunk_++);
      if (chunk.entry.kind == ChunkEntry::Kind::nothing && !chunk.used.empty())
        return fail(ErrorCode::corrupt, "the index has used bytes without a chunk");
      if (chunk.entry.kind != ChunkEntry::Kind::nothing) return chunk;
    }
    page_.reset();
    if (!TRY(load_page())) return std::nullopt;
  }
}

Result<bool> ImageWalk::load_page() {
  while (region_ < region_count(area_bytes_)) {
    const std::uint64_t region = region_;
    const std::uint64_t group = region / kRegionsPerDirectory;
    if (group != group_number_) {
      failed_ = {region * kRegionBytes, std::min(kRegionBytes * kRegionsPerDirectory, area_bytes_ - region * kRegionBytes)};
      region_ = (group + 1) * kRegionsPerDirectory;
      const auto& directories = image_->catalog().areas[area_].directories;
      if (visitor_ && group < directories.size()) visitor_(directories[static_cast<std::size_t>(group)].place);
      group_ = TRY(image_->directory(area_, group));
      group_number_ = group;
    }
    const PageRef& ref = group_[static_cast<std::size_t>(region % kRegionsPerDirectory)];
    region_ = region + 1;
    if (!ref.present) continue;
    failed_ = region_extent(area_bytes_, region);
    if (visitor_) visitor_(ref.place);
    page_ = TRY(image_->page(area_, region, ref));
    chunk_ = used_at_ = unreadable_at_ = 0;
    return true;
  }
  return false;
}

ImageChunk ImageWalk::make_chunk(std::size_t in_region) {
  ImageChunk chunk;
  chunk.number = (region_ - 1) * kChunksPerRegion + in_region;
  chunk.extent = chunk_extent(area_bytes_, chunk.number);
  chunk.entry = page_->entries[in_region];
  chunk.used = take(page_->used, used_at_, chunk.extent);
  chunk.unreadable = take(page_->unreadable, unreadable_at_, chunk.extent);
  return chunk;
}

}  // namespace tintype
