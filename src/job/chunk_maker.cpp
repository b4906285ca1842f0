// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/chunk_maker.h"

#include <fmt/format.h>

#include <algorithm>

namespace tintype {

void BaseData::failed(const Error& error) {
  // Files that are not there now will not come back for the next chunk; a damaged chunk says nothing about the others.
  if (error.code != ErrorCode::corrupt) unreachable_ = true;
  std::call_once(said_, [&] {
    context_.events.warn(fmt::format("data of the base cannot be read, so changed parts are stored whole: {}", error.message()));
  });
}

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
  if (base_ != nullptr && chunk.earlier.has_frame() && base_->reachable()) TRY(seal_delta(chunk, content));
  if (chunk.sealed.empty())
    chunk.sealed = TRY(sealer_.seal(FrameType::chunk, {chunk.area_number, chunk.planned.number}, chunk.counter, content, frame));
  return {};
}

// The content that a delta can be made against goes to base_content_; the frames that it is made of. The chunk's last state if not too
// much builds on each other then, else the state that was stored whole.
Result<std::vector<FramePlace>> ChunkMaker::read_base(const ChunkInFlight& chunk) {
  const std::size_t area = *base_->index().area_of(chunk.area);
  const ChunkEntry earlier = base_->index().within_base(chunk.earlier);
  std::vector<FramePlace> bases = chunk.earlier.bases;
  if (bases.size() < kMaxDeltaBases) {
    bases.push_back(chunk.earlier.place);
    const std::uint64_t length = chunk_extent(base_->index().image().catalog().areas[area].size_bytes, chunk.planned.number).length;
    TRY(base_reader_->read(area, chunk.planned.number, length, earlier, base_content_));
  } else {
    bases.resize(1);
    TRY(base_reader_->read_stored(area, chunk.planned.number, earlier.bases.front(), base_content_));
  }
  return bases;
}

Result<void> ChunkMaker::seal_delta(ChunkInFlight& chunk, ByteSpan content) {
  Result<std::vector<FramePlace>> bases = read_base(chunk);
  if (!bases) {
    base_->failed(bases.error());
    return {};
  }
  // All deltas together stay smaller than the state they build on: so reading a chunk never costs more than twice.
  const std::uint64_t root = bases->front().bytes;
  std::uint64_t spent = root / 4;
  for (std::size_t i = 1; i < bases->size(); ++i) spent += (*bases)[i].bytes;
  if (spent >= root) return {};
  chunk.sealed = TRY(sealer_.seal_delta({chunk.area_number, chunk.planned.number}, chunk.counter, content, base_content_,
                                        static_cast<std::size_t>(root - spent), chunk.frame));
  if (chunk.sealed.empty()) return {};
  chunk.entry.kind = ChunkEntry::Kind::delta;
  chunk.entry.bases = std::move(*bases);
  return {};
}

}  // namespace tintype
