// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <mutex>
#include <string>
#include <vector>

#include "drive/rescue.h"
#include "job/chunk_planner.h"
#include "job/context.h"

namespace tintype {

// Reads the used bytes of chunks from a source drive; everything else of the chunk becomes zero. Used by many threads.
// A sector that cannot be read is asked about (abort, retry, ignore), or, with `allow_errors`, recorded and zero.
class ChunkSource {
 public:
  ChunkSource(JobContext& context, bool allow_errors, unsigned retries)
      : context_(context), allow_errors_(allow_errors), retries_(retries) {}
  // `out` has chunk.extent.length bytes. Returns the unreadable ranges, as bytes of the area.
  Result<std::vector<Extent>> read(Drive& area, const PlannedChunk& chunk, MutableByteSpan out);

 private:
  Result<ExtentSet> read_range(Drive& area, Extent range, MutableByteSpan out);
  Result<bool> go_on(const Drive& area, const ExtentSet& bad, const Error& why);

  JobContext& context_;
  std::mutex mutex_;  // one question at a time
  bool allow_errors_;
  unsigned retries_;
};

}  // namespace tintype
