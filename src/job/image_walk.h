// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "image/reader.h"

namespace tintype {

// A chunk of an image that has bytes to restore.
struct ImageChunk {
  std::uint64_t number = 0;
  Extent extent;                   // of the area
  ChunkEntry entry;
  std::vector<Extent> used;        // of the area, inside the chunk
  std::vector<Extent> unreadable;  // likewise: bytes that the source could not give
};

// Goes through the chunks of one area in order, page by page. One thread at a time.
class ImageWalk {
 public:
  // Called with the place of every piece of the index before it is read; may be null.
  using IndexVisitor = std::function<void(const FramePlace&)>;
  ImageWalk(std::shared_ptr<ImageReader> image, std::size_t area, IndexVisitor visitor = {});
  // The next chunk. After an Error the next call goes on behind the damaged piece; failed_region() says what it covered.
  Result<std::optional<ImageChunk>> next();
  Extent failed_region() const { return failed_; }

 private:
  Result<bool> load_page();
  ImageChunk make_chunk(std::size_t in_region) ;

  std::shared_ptr<ImageReader> image_;
  std::size_t area_;
  std::uint64_t area_bytes_;
  IndexVisitor visitor_;
  std::uint64_t region_ = 0;      // the next one to load
  std::vector<PageRef> group_;    // records of the current directory
  std::uint64_t group_number_ = ~std::uint64_t{0};
  std::shared_ptr<const Page> page_;
  std::size_t chunk_ = 0;         // next in page_
  std::size_t used_at_ = 0, unreadable_at_ = 0;
  Extent failed_;
};

}  // namespace tintype
