// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <map>
#include <utility>

#include "image/parity_code.h"
#include "image/parity_file.h"

namespace tintype {

// The blocks of a set as they should be: read, compared with their sums, and rebuilt from the rest of their stripes where they
// are lost. One thread.
class BlockRebuilder {
 public:
  BlockRebuilder(const ParityFile& parity, PartRow& row)
      : parity_(parity), head_(parity.head()), row_(row), checker_(parity), code_(head_.data_blocks, head_.parity_blocks) {}

  // `count` data blocks from number `first` on. Error{corrupt} if one is lost for good. A block whose sum is lost is taken as it is.
  Result<void> read(std::uint64_t first, std::size_t count, MutableByteSpan out);
  std::uint64_t rebuilt() const { return rebuilt_; }

 private:
  struct Stripes;  // blocks of neighbouring stripes
  using Lost = std::pair<std::vector<std::uint32_t>, std::vector<std::uint32_t>>;  // data blocks, sound parity blocks
  Result<void> read_run(std::uint64_t first, std::size_t count, MutableByteSpan out);
  Result<void> rebuild(std::uint64_t first, std::size_t count, MutableByteSpan out);
  Result<void> load(Stripes& stripes);
  Result<void> rebuild_block(Stripes& stripes, std::size_t s, std::uint32_t k, MutableByteSpan out);
  Error lost_for_good(std::uint64_t block) const;

  const ParityFile& parity_;
  const ParityHead& head_;
  PartRow& row_;
  BlockChecker checker_;
  ParityCode code_;
  std::map<Lost, ParityCode::Recipe> recipes_;
  std::uint64_t rebuilt_ = 0;
};

}  // namespace tintype
