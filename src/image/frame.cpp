// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/frame.h"

#include <algorithm>

namespace tintype {
namespace {

// Header bytes that are bound to the payload: type … counter.
constexpr std::size_t kBoundAt = 8;
constexpr std::size_t kBoundBytes = 40;
constexpr std::size_t kMaxCiphers = 64;

// Where the encoded content goes, with room for the tag left behind it.
MutableByteSpan room_in(MutableByteSpan buffer) { return buffer.subspan(kContentAt, buffer.size() - kContentAt - kTagBytes); }

}  // namespace

std::size_t frame_room(std::size_t raw_bytes) {
  return kContentAt + Compressor::compressed_bound(raw_bytes) + kTagBytes;
}

Result<FrameSealer> FrameSealer::create(const std::optional<WritingKey>& key, int compression_level) {
  FrameSealer sealer(compression_level);
  if (key) {
    sealer.session_ = key->session;
    sealer.cipher_.emplace(TRY(SessionCipher::create(key->data_key, key->session)));
  }
  return sealer;
}

Result<ByteSpan> FrameSealer::seal(FrameType type, FrameAddress address, std::uint64_t counter, ByteSpan content,
                                   MutableByteSpan buffer) {
  const bool in_place = content.data() == buffer.data() + kContentAt;
  FrameHeader header;
  header.type = type;
  header.raw_bytes = static_cast<std::uint32_t>(content.size());
  header.counter = counter;
  // Content that already lies in the buffer is stored as it is; only content from elsewhere can be compressed into it.
  std::size_t encoded = in_place ? 0 : compressor_.compress(content, room_in(buffer));
  header.codec = encoded == 0 ? Codec::stored : Codec::zstd;
  if (encoded == 0) {
    if (!in_place && !content.empty()) std::memcpy(buffer.data() + kContentAt, content.data(), content.size());
    encoded = content.size();
  }
  return finish(header, address, encoded, buffer);
}

Result<ByteSpan> FrameSealer::seal_delta(FrameAddress address, std::uint64_t counter, ByteSpan content, ByteSpan base,
                                         std::size_t most_bytes, MutableByteSpan buffer) {
  const std::size_t encoded = compressor_.compress_delta(content, base, room_in(buffer));
  if (encoded == 0 || kContentAt + encoded + (cipher_ ? kTagBytes : 0) > most_bytes) return ByteSpan();
  FrameHeader header;
  header.type = FrameType::chunk;
  header.codec = Codec::delta;
  header.raw_bytes = static_cast<std::uint32_t>(content.size());
  header.counter = counter;
  return finish(header, address, encoded, buffer);
}

Result<ByteSpan> FrameSealer::seal_again(ByteSpan plain_frame, std::uint64_t counter, MutableByteSpan buffer) {
  FrameHeader header = TRY(check_frame(plain_frame));
  if (header.encrypted) return fail(ErrorCode::usage, "an encrypted frame is not sealed again");
  header.counter = counter;
  const ByteSpan encoded = plain_frame.subspan(kContentAt);
  std::copy(encoded.begin(), encoded.end(), buffer.subspan(kContentAt).begin());
  return finish(header, FrameAddress::decode(plain_frame.subspan(kFrameHeaderBytes)), encoded.size(), buffer);
}

Result<ByteSpan> FrameSealer::finish(FrameHeader header, FrameAddress address, std::size_t encoded, MutableByteSpan buffer) {
  address.encode(buffer.subspan(kFrameHeaderBytes, kAddressBytes));
  std::size_t payload = kAddressBytes + encoded;
  const MutableByteSpan plain = buffer.subspan(kFrameHeaderBytes, payload);
  if (cipher_) {
    payload += kTagBytes;
    header.encrypted = true;
    header.session = session_;
  }
  header.stored_bytes = static_cast<std::uint32_t>(payload);
  header.encode(buffer.first(kFrameHeaderBytes));
  if (cipher_) {
    const MutableByteSpan tag = buffer.subspan(kFrameHeaderBytes + plain.size(), kTagBytes);
    TRY(cipher_->seal(header.counter, buffer.subspan(kBoundAt, kBoundBytes), plain, tag));
  }
  header.payload_checksum = frame_checksum(buffer.subspan(kFrameHeaderBytes, payload));
  header.encode(buffer.first(kFrameHeaderBytes));
  return ByteSpan(buffer.first(kFrameHeaderBytes + payload));
}

Result<FrameHeader> check_frame(ByteSpan frame) {
  const FrameHeader header = TRY(FrameHeader::decode(frame));
  if (frame.size() != kFrameHeaderBytes + header.stored_bytes)
    return fail(ErrorCode::corrupt, "a frame is not as long as the index says");
  if (frame_checksum(frame.subspan(kFrameHeaderBytes)) != header.payload_checksum)
    return fail(ErrorCode::corrupt, "a frame's checksum does not fit its content");
  return header;
}

Result<SessionCipher*> FrameOpener::cipher_for(const SessionId& session) {
  if (!data_key_) return fail(ErrorCode::denied, "the image is encrypted", "give its password");
  if (const auto found = ciphers_.find(session); found != ciphers_.end()) return &found->second;
  if (ciphers_.size() >= kMaxCiphers) ciphers_.clear();
  SessionCipher cipher = TRY(SessionCipher::create(*data_key_, session));
  return &ciphers_.emplace(session, std::move(cipher)).first->second;
}

Result<FrameOpener::Encoded> FrameOpener::take_apart(MutableByteSpan frame, std::uint32_t max_raw) {
  OpenedFrame opened;
  opened.header = TRY(check_frame(frame));
  const FrameHeader& header = opened.header;
  if (header.raw_bytes > max_raw) return fail(ErrorCode::corrupt, "a frame holds more than it may");
  MutableByteSpan payload = frame.subspan(kFrameHeaderBytes);
  if (header.encrypted) {
    if (payload.size() < kAddressBytes + kTagBytes) return fail(ErrorCode::corrupt, "an encrypted frame is too short");
    const MutableByteSpan cipher_text = payload.first(payload.size() - kTagBytes);
    SessionCipher* cipher = TRY(cipher_for(header.session));
    TRY(cipher->open(header.counter, frame.subspan(kBoundAt, kBoundBytes), cipher_text, payload.last(kTagBytes)));
    payload = cipher_text;
  }
  opened.address = FrameAddress::decode(payload);
  if (le32(payload, 4) != 0) return fail(ErrorCode::corrupt, "a frame's address has bytes that must be zero");
  return Encoded{opened, payload.subspan(kAddressBytes)};
}

Result<OpenedFrame> FrameOpener::open(MutableByteSpan frame, std::uint32_t max_raw, Bytes& out, ByteSpan base) {
  const Encoded encoded = TRY(take_apart(frame, max_raw));
  out.resize(encoded.frame.header.raw_bytes);
  TRY(decompressor_.decompress(encoded.frame.header.codec, encoded.content, out, base));
  return encoded.frame;
}

Result<OpenedFrame> FrameOpener::open_beginning(MutableByteSpan frame, std::uint32_t max_raw, std::size_t most, Bytes& out, ByteSpan base) {
  const Encoded encoded = TRY(take_apart(frame, max_raw));
  out.resize(std::min<std::size_t>(encoded.frame.header.raw_bytes, most));
  TRY(decompressor_.decompress_beginning(encoded.frame.header.codec, encoded.content, out, base));
  return encoded.frame;
}

Result<FrameAddress> FrameOpener::peek_address(ByteSpan frame) {
  Bytes copy(frame.begin(), frame.end());
  const FrameHeader header = TRY(FrameHeader::decode(copy));
  const MutableByteSpan payload = MutableByteSpan(copy).subspan(kFrameHeaderBytes);
  if (!header.encrypted || payload.size() < kAddressBytes + kTagBytes) return fail(ErrorCode::corrupt, "an encrypted frame is too short");
  SessionCipher* cipher = TRY(cipher_for(header.session));
  TRY(cipher->open(header.counter, MutableByteSpan(copy).subspan(kBoundAt, kBoundBytes), payload.first(payload.size() - kTagBytes),
                   payload.last(kTagBytes)));
  return FrameAddress::decode(payload);
}

}  // namespace tintype
