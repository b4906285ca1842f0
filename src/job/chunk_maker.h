// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <vector>

#include "image/frame.h"
#include "image/hash.h"
#include "job/base_data.h"
#include "job/chunk_source.h"
#include "job/moved_blocks.h"

namespace tintype {

// One chunk on its way into the image. Its buffers are used again and again.
struct ChunkInFlight {
  PlannedChunk planned;
  std::uint32_t area = 0;         // index in the catalog
  std::uint32_t area_number = 0;  // in the addresses of its frames
  std::uint64_t counter = 0;      // of the frame that it may become
  ChunkEntry earlier;             // its state in the base; kind nothing: none
  ChunkEntry saved;               // what an unfinished image that is continued has of it; kind nothing: nothing
  bool known_same = false;        // an earlier pass found that it did not change: it is not read again

  ChunkEntry entry;  // the result
  ByteSpan sealed;   // the frame, empty if nothing is to be written
  std::vector<Extent> unreadable;
  bool changed = false;    // since the base
  bool continued = false;  // its frame was there already

  Bytes raw;    // empty: the content is read straight into the frame
  Bytes frame = Bytes(frame_room(kChunkBytes));
};

// Reads a chunk, hashes it, and makes a frame of what is new. One per worker.
class ChunkMaker {
 public:
  ChunkMaker(FrameSealer sealer, ChunkSource& source, BaseData* base);
  // What moved within the area that is gone through now; null if nothing is known of that.
  void look_in(const MovedBlocks* moved) { moved_ = moved; }
  // Fills in the result. With `look_only` no frame is made: `changed` is all that is asked for.
  Result<void> make(ChunkInFlight& chunk, Drive& area, bool look_only = false);

 private:
  Result<bool> read_zero(ChunkInFlight& chunk, Drive& area, MutableByteSpan content);
  Result<void> seal_delta(ChunkInFlight& chunk, ByteSpan content);
  Result<std::vector<FramePlace>> read_base(const ChunkInFlight& chunk);

  FrameSealer sealer_;
  ChunkHasher hasher_;
  ChunkSource& source_;
  BaseData* base_;
  std::optional<ChunkReader> base_reader_;
  const MovedBlocks* moved_ = nullptr;
  Bytes base_content_;
  ByteSpan base_state_;  // what a delta is made against: there, or kept by the search for what moved
  Bytes laid_;           // the same with what moved
  Hash zero_hash_{};  // of a whole chunk of zeros
};

}  // namespace tintype
