// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>

#include "image/frame.h"
#include "image/reader.h"

namespace tintype {

// Makes a chunk that takes data from other chunks into one that stands on its own frames: what it was made of stays behind. One per
// worker.
class ChunkRemaker {
 public:
  ChunkRemaker(std::shared_ptr<ImageReader> image, FrameSealer sealer) : reader_(std::move(image)), sealer_(std::move(sealer)) {}

  // `entry` becomes a delta against the same earlier state of the chunk, or stored whole where that would be too large, and `frame` its
  // frame. `counter` is used up. Error{corrupt} as for ChunkReader::read().
  Result<void> remake(std::size_t area, FrameAddress address, std::uint64_t length, ChunkEntry& entry, std::uint64_t counter, Bytes& frame);

 private:
  ChunkReader reader_;
  FrameSealer sealer_;
  Bytes content_, state_;
};

}  // namespace tintype
