// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <atomic>
#include <mutex>
#include <optional>
#include <vector>

#include "image/frame.h"
#include "image/hash.h"
#include "job/base_index.h"
#include "job/chunk_source.h"

namespace tintype {

// What a backup's workers have in common when the image builds on an earlier one.
class BaseData {
 public:
  BaseData(BaseIndex& index, JobContext& context) : index_(index), context_(context) {}
  BaseIndex& index() { return index_; }
  bool reachable() const { return !unreachable_; }
  // The base's data could not be read: said once; if it cannot be had at all it is not tried again. Nothing is lost by it: the
  // chunk is stored whole.
  void failed(const Error& error);

 private:
  BaseIndex& index_;
  JobContext& context_;
  std::atomic<bool> unreachable_ = false;
  std::once_flag said_;
};

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
  Bytes base_content_;
  Hash zero_hash_{};  // of a whole chunk of zeros
};

}  // namespace tintype
