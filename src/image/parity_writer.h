// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <memory>

#include "image/parity_code.h"
#include "image/parity_format.h"
#include "image/parity_set.h"
#include "store/place.h"

namespace tintype {

// Some neighbouring stripes of one group with their parity and sums.
struct EncodedStripes {
  std::uint64_t first_stripe = 0;
  std::uint32_t stripes = 0;
  Bytes parity;                // M blocks of each stripe, stripe by stripe
  std::vector<BlockSum> sums;  // as in the table
};

// Reads stripes and computes their parity. One per thread; `row` and `code` may be shared.
class StripeEncoder {
 public:
  StripeEncoder(const ParityHead& head, PartRow& row, const ParityCode& code) : head_(head), row_(row), code_(code) {}
  // first_stripe and stripes say which; the rest is filled in.
  Result<void> encode(EncodedStripes& stripes);
  // How many stripes are read at a time: enough for long reads, not too much for memory.
  static std::uint32_t stripes_at_once(const ParityHead& head);

 private:
  const ParityHead& head_;
  PartRow& row_;
  const ParityCode& code_;
  Bytes data_;
};

// Writes a recovery file out of encoded stripes in ascending order. Holds one group in memory. One thread.
class ParityWriter {
 public:
  using Append = std::function<Result<void>(AppendFile&, ByteSpan)>;
  ParityWriter(const ParityHead& head, std::unique_ptr<AppendFile> file, Append append)
      : head_(head), file_(std::move(file)), append_(std::move(append)) {}
  Result<void> begin();
  Result<void> add(const EncodedStripes& stripes);
  // The last head, and everything flushed.
  Result<void> finish();

 private:
  Result<void> write_group();
  Result<void> put(ByteSpan bytes) { return append_(*file_, bytes); }

  const ParityHead& head_;
  std::unique_ptr<AppendFile> file_;
  Append append_;
  std::uint64_t group_ = 0;
  Bytes parity_;
  std::vector<BlockSum> sums_;
};

}  // namespace tintype
