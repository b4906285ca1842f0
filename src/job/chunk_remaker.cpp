// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/chunk_remaker.h"

#include "job/delta_room.h"

namespace tintype {

Result<void> ChunkRemaker::remake(std::size_t area, FrameAddress address, std::uint64_t length, ChunkEntry& entry, std::uint64_t counter,
                                  Bytes& frame) {
  TRY(reader_.read(area, address.number, length, entry, content_));
  frame.resize(frame_room(content_.size()));
  entry.moved.clear();
  ByteSpan sealed;
  if (const std::uint64_t room = room_for_delta(entry.bases); room > 0) {
    TRY(reader_.read_state(area, address.number, entry.bases, state_));
    sealed = TRY(sealer_.seal_delta(address, counter, content_, state_, static_cast<std::size_t>(room), frame));
  }
  if (sealed.empty()) {
    entry.kind = ChunkEntry::Kind::stored;
    entry.bases.clear();
    sealed = TRY(sealer_.seal(FrameType::chunk, address, counter, content_, frame));
  }
  frame.resize(sealed.size());
  return {};
}

}  // namespace tintype
