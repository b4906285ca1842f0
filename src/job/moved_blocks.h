// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <vector>

#include "image/reader.h"
#include "job/base_data.h"

namespace tintype {

// Data of one area that is not where it was in the base: blocks of 4 KiB that were in use then and are not now, to be found again by
// their content. Gathered before the area is gone through; then used by all workers. The base must outlive it.
class MovedBlocks {
 public:
  // `used`: a fresh pass over what is in use now. Null if there is nothing to look for: nothing is gone, or nothing came, or the base's
  // data cannot be had. Memory is bounded, whatever the size of the drive: what is beyond that is not looked for.
  static Result<std::unique_ptr<MovedBlocks>> gather(BaseData& base, std::size_t area, std::uint64_t area_bytes, ExtentStream& used,
                                                     JobContext& context);

  // The state of a chunk in the base, if it was decoded for the search and kept; else null.
  const Bytes* state(std::uint64_t chunk) const;
  // Which blocks of `content` that `state` does not have at the same place lie elsewhere in the base; empty if that is too little to be
  // worth it. Else `laid` becomes the state with these blocks laid over it, as long as the content. `reader`: of the base.
  std::vector<MovedData> find(ChunkReader& reader, std::uint64_t chunk, ByteSpan content, ByteSpan state, Bytes& laid) const;

 private:
  struct Block {
    std::uint64_t hash = 0, at = 0;  // byte of the area
    friend auto operator<=>(const Block&, const Block&) = default;
  };
  struct Source {
    std::uint64_t chunk = 0;
    std::vector<FramePlace> frames;  // of its state in the base
    std::size_t first_gone = 0;      // of what is gone, the first that reaches into it
    Bytes state;                     // empty: not kept
  };

  MovedBlocks(BaseData& base, std::size_t base_area) : base_(base), base_area_(base_area) {}
  Result<void> choose_sources(std::size_t area, const CancelToken& cancel);
  Result<void> hash_sources(JobContext& context);
  Result<void> read_state(ChunkReader& reader, const Source& source, Bytes& out) const;
  void hash(const Source& source, ByteSpan content, std::vector<Block>& blocks) const;
  const Source* source_of(std::uint64_t chunk) const;
  std::uint64_t lookup(ByteSpan block, std::uint64_t wanted) const;
  std::vector<MovedData> candidates(std::uint64_t chunk, ByteSpan content, ByteSpan state) const;

  BaseData& base_;
  std::size_t base_area_;
  std::vector<Extent> gone_;
  std::uint64_t phase_ = 0;  // blocks begin at multiples of their size and this
  std::vector<Source> sources_;
  std::vector<Block> blocks_;
};

}  // namespace tintype
