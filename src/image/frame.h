// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <map>
#include <optional>

#include "image/cipher.h"
#include "image/codec.h"
#include "image/format.h"

namespace tintype {

// Where content may be placed in a frame buffer so that sealing it uncompressed needs no copy.
constexpr std::size_t kContentAt = kFrameHeaderBytes + kAddressBytes;
// Room a frame buffer needs for content of this size, whatever happens to it.
std::size_t frame_room(std::size_t raw_bytes);

// The key of a set and the session that writes with it; without it frames are plain.
struct WritingKey {
  SecretKey data_key{};
  SessionId session{};
};

// Makes frames: compresses, encrypts, adds checksums. One per thread.
class FrameSealer {
 public:
  static Result<FrameSealer> create(const std::optional<WritingKey>& key, int compression_level);
  // `buffer` has frame_room(content.size()) bytes; content may lie in it at kContentAt. The frame is the beginning of buffer.
  // Counters must never repeat within one session.
  Result<ByteSpan> seal(FrameType type, FrameAddress address, std::uint64_t counter, ByteSpan content,
                        MutableByteSpan buffer);
  // The same for a chunk that resembles `base`, its earlier state. Empty if a delta would not be smaller than `most_bytes`: then
  // the counter is not used up, and what lies in the buffer is of no use.
  Result<ByteSpan> seal_delta(FrameAddress address, std::uint64_t counter, ByteSpan content, ByteSpan base, std::size_t most_bytes,
                              MutableByteSpan buffer);
  // A plain frame, whole as it lies in its part, as a frame of this sealer: its content stays encoded as it is. `buffer` has room for
  // it and a tag.
  Result<ByteSpan> seal_again(ByteSpan plain_frame, std::uint64_t counter, MutableByteSpan buffer);

 private:
  explicit FrameSealer(int level) : compressor_(level) {}
  // Makes the frame of content that lies encoded in the buffer.
  Result<ByteSpan> finish(FrameHeader header, FrameAddress address, std::size_t encoded_bytes, MutableByteSpan buffer);
  Compressor compressor_;
  std::optional<SessionCipher> cipher_;
  SessionId session_{};
};

// What can be checked of a whole frame without decoding it: that its header makes sense, its length, its checksums.
Result<FrameHeader> check_frame(ByteSpan frame);

struct OpenedFrame {
  FrameHeader header;
  FrameAddress address;
};

// Takes frames apart again and checks all there is to check. One per thread.
class FrameOpener {
 public:
  explicit FrameOpener(const std::optional<SecretKey>& data_key) : data_key_(data_key) {}
  // `frame` is a whole frame as read from a part; encrypted ones are decrypted in place. The content goes to `out`,
  // which is resized to the header's raw size if that is at most `max_raw` (else Error{corrupt}). `base` is the earlier state
  // of the content that a delta was made against.
  Result<OpenedFrame> open(MutableByteSpan frame, std::uint32_t max_raw, Bytes& out, ByteSpan base = {});
  // The same, but `out` gets no more than the first `most` bytes of the content.
  Result<OpenedFrame> open_beginning(MutableByteSpan frame, std::uint32_t max_raw, std::size_t most, Bytes& out, ByteSpan base = {});
  // The address of an encrypted frame, whose bytes stay as they are. Error{corrupt} as above.
  Result<FrameAddress> peek_address(ByteSpan frame);

 private:
  struct Encoded {
    OpenedFrame frame;
    ByteSpan content;  // as it is encoded
  };
  Result<Encoded> take_apart(MutableByteSpan frame, std::uint32_t max_raw);
  Result<SessionCipher*> cipher_for(const SessionId& session);
  std::optional<SecretKey> data_key_;
  std::map<SessionId, SessionCipher> ciphers_;
  Decompressor decompressor_;
};

}  // namespace tintype
