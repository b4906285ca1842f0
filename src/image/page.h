// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <vector>

#include "base/extent.h"
#include "image/format.h"

namespace tintype {

// A run of data that lies in another chunk of the area too; units of bytes, in the chunk it goes to and in the one it comes from.
struct MovedRun {
  std::uint32_t to = 0, from = 0, bytes = 0;
  friend bool operator==(const MovedRun&, const MovedRun&) = default;
};

// What a delta takes from another chunk of the area, in the state which these frames give: the first is a stored one, the others
// are deltas, each made against what those before it give.
struct MovedData {
  std::uint64_t chunk = 0;
  std::vector<FramePlace> frames;
  std::vector<MovedRun> runs;
  friend bool operator==(const MovedData&, const MovedData&) = default;
};

// What became of one chunk.
struct ChunkEntry {
  enum class Kind : std::uint8_t { nothing = 0, zero = 1, stored = 2, delta = 3 };
  Kind kind = Kind::nothing;
  bool unreadable = false;  // some of its bytes could not be read
  FramePlace place;         // stored and delta
  Hash hash{};              // all but nothing
  // Delta only: the frames it builds on, to be decoded in this order before its own; the first is a stored one.
  // Empty only if the delta takes data from elsewhere; then the chunk's earlier state counts as zeros.
  std::vector<FramePlace> bases;
  // Delta only: laid over the state that the bases give, in this order, before it is what the delta was made against.
  std::vector<MovedData> moved;

  bool has_frame() const { return kind == Kind::stored || kind == Kind::delta; }
  // Every frame that is needed to decode the chunk, its own last.
  template <class Visit>
  void each_place(const Visit& visit) { visit_places(*this, visit); }
  template <class Visit>
  void each_place(const Visit& visit) const { visit_places(*this, visit); }
  friend bool operator==(const ChunkEntry&, const ChunkEntry&) = default;

 private:
  template <class Entry, class Visit>
  static void visit_places(Entry& entry, const Visit& visit) {
    for (auto& base : entry.bases) visit(base);
    for (auto& data : entry.moved)
      for (auto& frame : data.frames) visit(frame);
    if (entry.has_frame()) visit(entry.place);
  }
};

// Lays what a delta takes from one other chunk over the state that it builds on. False, and nothing is done, if the runs leave one of the two.
bool lay_over(const MovedData& data, ByteSpan source, MutableByteSpan state);

// The index of one region (1 GiB) of an area. Extents are bytes of the area.
struct Page {
  std::vector<Extent> used;
  std::vector<ChunkEntry> entries;  // one per chunk of the region
  std::vector<Extent> unreadable;

  // Places in a page count from the image it lies in. After this they count from another one, whose number for that image is
  // `link` (0: it is the same).
  void seen_from(std::uint32_t link);

  // `region` is the part of the area that the page describes; extents outside it are our own bug.
  Bytes encode(Extent region) const;
  static Result<Page> decode(ByteSpan bytes, Extent region);
};

// One record of a directory: where the page of a region is.
struct PageRef {
  bool present = false;
  FramePlace place;
  std::uint64_t used_bytes = 0;
  Hash hash{};
  friend bool operator==(const PageRef&, const PageRef&) = default;
};

// A page that is there already, its places as the image being written counts them.
struct EarlierPage {
  PageRef ref;
  std::shared_ptr<const Page> page;
};

Bytes encode_directory(std::span<const PageRef> pages);
Result<std::vector<PageRef>> decode_directory(ByteSpan bytes, std::size_t regions);

// The part of an area of this size that region `number` covers; empty if there is none.
Extent region_extent(std::uint64_t area_bytes, std::uint64_t number);
std::uint64_t region_count(std::uint64_t area_bytes);
// The same for chunks.
Extent chunk_extent(std::uint64_t area_bytes, std::uint64_t number);

}  // namespace tintype
