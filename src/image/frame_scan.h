// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <optional>

#include "image/frame.h"
#include "store/place.h"

namespace tintype {

// A frame whose header is sound. Whether its payload is, FrameScanner::open() tells.
struct FoundFrame {
  FrameHeader header;
  std::uint64_t offset = 0;  // in the file
  std::uint64_t bytes() const { return kFrameHeaderBytes + header.stored_bytes; }
  std::uint64_t end() const { return offset + bytes(); }
};

// Goes through the frames of one part file, whatever happened to it: behind bytes that make no sense it searches for the next
// marker with a sound header. Where the file is sound only the headers are read. Blocks that cannot be read count as damage.
// A frame that is sound is found; one that lies inside the payload of a sound frame is not. Where damage took a header, the
// frames of an image that was itself stored in that chunk can turn up: what a frame claims to hold is to be checked by the
// index where there is one. One thread at a time.
class FrameScanner {
 public:
  explicit FrameScanner(std::shared_ptr<ReadFile> file);

  // The next frame in the order of the file; nothing at its end.
  std::optional<FoundFrame> next();
  // Reads a frame and checks everything there is to check. The content goes to `content`; `base` is what a delta was made against.
  Result<OpenedFrame> open(const FoundFrame& frame, FrameOpener& opener, std::uint32_t max_raw, Bytes& content, ByteSpan base = {});
  // Checks all of a frame but whether its content decodes, and tells its address: what can be known of a delta alone.
  Result<FrameAddress> address(const FoundFrame& frame, FrameOpener& opener);
  // Where the next search starts: everything before has been looked at.
  std::uint64_t position() const { return at_; }

 private:
  std::optional<FrameHeader> header_at(std::uint64_t offset);
  bool ends_well(const FoundFrame& frame);
  bool payload_fits(const FoundFrame& frame);
  bool search();
  void load_window();
  Result<void> read_frame(const FoundFrame& frame);

  std::shared_ptr<ReadFile> file_;
  std::uint64_t at_ = 0;
  Bytes frame_;
  Bytes window_;  // bytes of the file from window_at_, for searching
  std::uint64_t window_at_ = 0;
  std::uint64_t budget_bytes_;
};

// Fills `out` with what the file has there. Blocks of 4 KiB that cannot be read become zero, and the answer is false.
bool read_around_damage(ReadFile& file, std::uint64_t offset, MutableByteSpan out);

}  // namespace tintype
