// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <string>

#include "drive/foreign/used_blocks.h"

namespace tintype {

// An opened partclone image: where its blocks lie in the file, and what their checksums say. Any number of threads.
class PartcloneImage {
 public:
  static Result<PartcloneImage> open(std::shared_ptr<ByteSource> source, const std::string& name);

  const PartcloneHeader& header() const { return header_; }
  const UsedBlocks& used() const { return *used_; }
  ByteSource& source() const { return *source_; }

  // Strips: the blocks that share a checksum. 0 if there are no checksums.
  std::uint64_t strips() const;
  std::uint64_t strip_blocks(std::uint64_t strip) const;
  std::uint64_t strip_position(std::uint64_t strip) const;
  // Where the used block of that rank lies in the file.
  std::uint64_t position_of(std::uint64_t rank) const;
  // Whether the strip can be verified without reading what lies before it.
  bool verifiable_alone(std::uint64_t strip) const;
  // The strip's blocks. Error{corrupt} if they do not fit their checksum. Only for strips that are verifiable_alone().
  Result<Bytes> read_strip(std::uint64_t strip) const;

 private:
  Result<void> find_stride();
  Result<bool> chain_fits(std::uint64_t stride) const;
  Result<void> check_size(const std::string& name) const;
  std::uint64_t content_bytes() const;

  std::shared_ptr<ByteSource> source_;
  std::string name_;
  PartcloneHeader header_;
  std::unique_ptr<UsedBlocks> used_;
  std::uint64_t blocks_at_ = 0;      // where the first block lies
  std::uint64_t checksum_stride_ = 0;  // bytes from the end of a strip to the next: 8 instead of 4 in some images of version 1
};

// The checksum of one strip, of `state` and what follows it. For CRCs without reseeding, state is the checksum before.
Bytes partclone_checksum(const PartcloneHeader& header, std::uint32_t state, ByteSpan blocks);

}  // namespace tintype
