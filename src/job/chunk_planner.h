// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/extent.h"
#include "drive/drive.h"
#include "image/page.h"

namespace tintype {

// One chunk of an area that has bytes to save.
struct PlannedChunk {
  std::uint64_t number = 0;
  Extent extent;             // of the area
  std::vector<Extent> used;  // of the area, inside the chunk, ascending
  bool hole = false;         // the drive says that all of `used` reads as zeros
};

// Cuts a used map into chunks, a few ahead of the readers, and tells the drive what will be read soon, so that a slow
// drive always has requests in flight. One thread at a time.
class ChunkPlanner {
 public:
  // `wanted`: whether a chunk will be read at all; the drive is not told of others. Null: all are.
  // `chunk_bytes`: how large they are; number counts in it.
  ChunkPlanner(std::shared_ptr<Drive> drive, std::unique_ptr<ExtentStream> used, std::function<bool(std::uint64_t)> wanted = {},
               std::uint64_t chunk_bytes = kChunkBytes);
  Result<std::optional<PlannedChunk>> next();

 private:
  Result<bool> plan_one();
  Result<void> mark_hole(PlannedChunk& chunk);

  std::shared_ptr<Drive> drive_;
  std::unique_ptr<ExtentStream> used_;
  std::function<bool(std::uint64_t)> wanted_;
  std::uint64_t chunk_bytes_;
  std::optional<Extent> rest_;  // what is left of the range being cut
  bool ended_ = false;
  std::deque<PlannedChunk> ahead_;
  std::optional<BlockStatus> status_;  // the last answer of the drive
};

}  // namespace tintype
