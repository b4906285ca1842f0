// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/chunk_maker.h"

#include <algorithm>

#include "job/delta_room.h"

namespace tintype {

ChunkMaker::ChunkMaker(FrameSealer sealer, ChunkSource& source, BaseData* base)
    : sealer_(std::move(sealer)), source_(source), base_(base) {
  zero_hash_ = hasher_.hash(Bytes(kChunkBytes));
  if (base_ != nullptr) base_reader_.emplace(base_->index().share());
}

// Reads the chunk; whether all of it is zero.
Result<bool> ChunkMaker::read_zero(ChunkInFlight& chunk, Drive& area, MutableByteSpan content) {
  if (chunk.planned.hole) {
    // The hash of a whole chunk of zeros is known: terabytes of holes cost no memory traffic.
    if (content.size() != kChunkBytes) std::fill(content.begin(), content.end(), std::byte{0});
    return true;
  }
  chunk.unreadable = TRY(source_.read(area, chunk.planned, content));
  return all_zero(content);
}

Result<void> ChunkMaker::make(ChunkInFlight& chunk, Drive& area, bool look_only) {
  chunk.entry = {};
  chunk.sealed = {};
  chunk.unreadable.clear();
  chunk.changed = chunk.continued = false;
  if (chunk.known_same) {
    chunk.entry = chunk.earlier;
    chunk.entry.unreadable = false;  // else it would be read again
    return {};
  }
  const auto length = static_cast<std::size_t>(chunk.planned.extent.length);
  const MutableByteSpan frame(chunk.frame);
  const MutableByteSpan content = chunk.raw.empty() ? frame.subspan(kContentAt, length) : MutableByteSpan(chunk.raw).first(length);
  const bool zero = TRY(read_zero(chunk, area, content));
  const Hash hash = zero && length == kChunkBytes ? zero_hash_ : hasher_.hash(content);
  // An index that calls something else zeros is not believed.
  const auto is_same = [&](const ChunkEntry& entry) {
    return entry.hash == hash && (entry.has_frame() || (entry.kind == ChunkEntry::Kind::zero && zero));
  };
  if (is_same(chunk.earlier)) {
    chunk.entry = std::move(chunk.earlier);
    chunk.entry.unreadable = !chunk.unreadable.empty();
    return {};
  }
  chunk.changed = true;
  if (!look_only && is_same(chunk.saved)) {
    chunk.entry = std::move(chunk.saved);
    chunk.entry.unreadable = !chunk.unreadable.empty();
    chunk.continued = chunk.entry.has_frame();
    return {};
  }
  chunk.entry.hash = hash;
  chunk.entry.unreadable = !chunk.unreadable.empty();
  chunk.entry.kind = zero ? ChunkEntry::Kind::zero : ChunkEntry::Kind::stored;
  if (zero || look_only) return {};
  if (base_ != nullptr && base_->reachable() && (chunk.earlier.has_frame() || moved_ != nullptr)) TRY(seal_delta(chunk, content));
  if (chunk.sealed.empty())
    chunk.sealed = TRY(sealer_.seal(FrameType::chunk, {chunk.area_number, chunk.planned.number}, chunk.counter, content, frame));
  return {};
}

// The content that a delta can be made against goes to base_state_; the frames that it is made of. The chunk's last state if not too
// much builds on each other then, else the state that was stored whole, if any was. Whether it has the hash that the base says is not
// asked: whoever reads the delta gets the same out of the same frames, and bit rot in them shows in their checksums.
Result<std::vector<FramePlace>> ChunkMaker::read_base(const ChunkInFlight& chunk) {
  base_state_ = {};
  std::vector<FramePlace> bases = chunk.earlier.bases;
  if (!chunk.earlier.has_frame()) return bases;
  const bool last = chunk.earlier.moved.empty() && bases.size() < kMaxDeltaBases;
  if (last)
    bases.push_back(chunk.earlier.place);
  else if (!bases.empty())
    bases.resize(1);
  if (room_for_delta(bases) == 0) return std::vector<FramePlace>();
  if (const Bytes* kept = last && moved_ != nullptr ? moved_->state(chunk.planned.number) : nullptr; kept != nullptr) {
    base_state_ = *kept;
    return bases;
  }
  const std::size_t area = *base_->index().area_of(chunk.area);
  TRY(base_reader_->read_state(area, chunk.planned.number, base_->index().within_base(bases), base_content_));
  base_state_ = base_content_;
  return bases;
}

Result<void> ChunkMaker::seal_delta(ChunkInFlight& chunk, ByteSpan content) {
  Result<std::vector<FramePlace>> bases = read_base(chunk);
  if (!bases) {
    base_->failed(bases.error());
    return {};
  }
  std::uint64_t room = room_for_delta(*bases);
  std::vector<MovedData> moved;
  if (moved_ != nullptr) moved = moved_->find(*base_reader_, chunk.planned.number, content, base_state_, laid_);
  // Nothing ever builds on a delta that takes data from elsewhere: it only has to be smaller than what it stands for.
  if (!moved.empty()) room = content.size();
  if (room == 0) return {};
  chunk.sealed = TRY(sealer_.seal_delta({chunk.area_number, chunk.planned.number}, chunk.counter, content,
                                        moved.empty() ? base_state_ : ByteSpan(laid_), static_cast<std::size_t>(room), chunk.frame));
  if (chunk.sealed.empty()) return {};
  chunk.entry.kind = ChunkEntry::Kind::delta;
  chunk.entry.bases = std::move(*bases);
  chunk.entry.moved = std::move(moved);
  return {};
}

}  // namespace tintype
