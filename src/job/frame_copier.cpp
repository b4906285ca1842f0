// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/frame_copier.h"

namespace tintype {

Result<void> FrameCopier::check(FrameAddress address, bool delta, bool encrypted, ByteSpan frame) const {
  const FrameHeader header = TRY(check_frame(frame));
  const bool fits_in = header.type == FrameType::chunk && header.encrypted == encrypted && (header.codec == Codec::delta) == delta &&
                       header.raw_bytes <= kChunkBytes;
  // The address of an encrypted frame is as secret as its content.
  if (!fits_in || (!encrypted && FrameAddress::decode(frame.subspan(kFrameHeaderBytes)) != address))
    return fail(ErrorCode::corrupt, "a chunk is not the one that belongs here");
  if (encrypted && !sealer_) return fail(ErrorCode::corrupt, "an encrypted image lies in a chain that is not");
  return {};
}

Result<void> FrameCopier::copy(FrameAddress address, const FramePlace& place, bool delta, std::uint64_t counter, Bytes& out) {
  PartReader& parts = *TRY(chain_.parts(place.link));
  const auto located = [&](Error error) {
    if (!error.offset_bytes) error.offset_bytes = place.offset;
    return std::move(error).within(parts.describe(place.part));
  };
  if (place.bytes > frame_room(kChunkBytes))
    return fail(located(make_error(ErrorCode::corrupt, "the index claims an absurd size for a chunk")));
  const bool encrypted = parts.header().encrypted;
  const bool seal = sealer_ && !encrypted;
  Bytes& read = seal ? plain_ : out;
  TRY(parts.read(place, read));
  Result<void> sound = check(address, delta, encrypted, read);
  if (!sound) return fail(located(std::move(sound).error()));
  if (!seal) return {};
  out.resize(read.size() + kTagBytes);
  TRY(sealer_->seal_again(read, counter, out));
  return {};
}

}  // namespace tintype
