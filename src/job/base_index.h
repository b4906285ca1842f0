// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "image/reader.h"
#include "image/writer.h"

namespace tintype {

// The index of the image that a changes-only backup builds on, as the new image counts links. Reads index pages alone, never
// chunks. Thread safe.
class BaseIndex {
 public:
  // `areas`: for each area of the new image the one of the base that holds its earlier state.
  BaseIndex(std::shared_ptr<ImageReader> base, std::vector<std::optional<std::size_t>> areas);

  ImageReader& image() { return *base_; }
  std::shared_ptr<ImageReader> share() const { return base_; }
  // The base's own number among the links of the new image: the last.
  std::uint32_t link() const { return static_cast<std::uint32_t>(base_->catalog().links.size() + 1); }
  std::optional<std::size_t> area_of(std::size_t area) const { return areas_[area]; }

  // The page of a region; null if the base has none there.
  Result<std::shared_ptr<const EarlierPage>> page(std::size_t area, std::uint64_t region);
  // The entry of a chunk, its places as the new image counts them; kind nothing if the base has none.
  Result<ChunkEntry> entry(std::size_t area, std::uint64_t chunk);
  // Places of such entries as the base itself counts, for reading there.
  std::vector<FramePlace> within_base(std::vector<FramePlace> frames) const;

 private:
  struct Kept {
    std::size_t area;
    std::uint64_t region;
    std::shared_ptr<const EarlierPage> page;
  };
  Result<std::shared_ptr<const EarlierPage>> load(std::size_t area, std::uint64_t region);

  std::shared_ptr<ImageReader> base_;
  std::vector<std::optional<std::size_t>> areas_;
  std::mutex mutex_;
  std::list<Kept> kept_;  // most recent first: the reader is at most two regions ahead of the writer
  std::optional<std::size_t> group_area_;
  std::uint64_t group_number_ = 0;
  std::vector<PageRef> group_;  // the directory read last
};

}  // namespace tintype
