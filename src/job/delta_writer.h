// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>

#include "image/hash.h"
#include "image/reader.h"
#include "job/image_walk.h"
#include "job/target_writer.h"
#include "plan/restore_plan.h"

namespace tintype {

struct DeltaCount {
  std::uint64_t compared_bytes = 0;  // of the target, read and compared
  std::uint64_t written_bytes = 0;   // written or zeroed
};

// Brings the used bytes of chunks on a target to what an image, or another drive, holds, writing only what differs. A chunk of which the target
// already has everything is told by its hash and not read from the image. What cannot be read on the target is written.
// One per thread; the references outlive it.
class DeltaWriter {
 public:
  DeltaWriter(Drive& target, TargetWriter& writer) : target_(target), writer_(writer) {}
  // A run of an area: what of it is to be written, and whether it reads as zeros.
  struct Window {
    Extent extent;
    const std::vector<Extent>& used;
    bool zero = false;
  };
  // Puts the content of the window into the bytes; not called for zeros.
  using Fetch = std::function<Result<void>(MutableByteSpan)>;
  Result<DeltaCount> write(const Window& window, std::uint64_t area_byte, const Fetch& fetch);
  // `chunk.used` is what is to be written; `whole`: it is also all that the image has of the chunk, so that the hash can tell.
  Result<DeltaCount> write(ChunkReader& reader, const ImageChunk& chunk, const CopyStep& step, bool whole);

 private:
  bool read_target(const Window& window, std::uint64_t area_byte);
  Result<std::uint64_t> write_used(const Window& window, std::uint64_t area_byte, bool known);
  Result<std::uint64_t> write_differences(const Window& window, Extent used, std::uint64_t area_byte);
  Result<void> put(const Window& window, Extent run, std::uint64_t area_byte);

  Drive& target_;
  TargetWriter& writer_;
  ChunkHasher hasher_;
  Bytes found_, content_;  // of the window: on the target, at the source
};

}  // namespace tintype
