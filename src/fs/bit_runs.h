// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/extent.h"

namespace tintype {

// The runs of set bits in a bitmap, lowest bit of a byte first, as ranges of bit numbers. Borrows the bytes; the
// span must have whole 8-byte words for `count` bits. Bits from `count` on are ignored.
class BitRuns {
 public:
  BitRuns() = default;
  BitRuns(ByteSpan bits, std::uint64_t count) : bits_(bits), count_(count) {}

  std::optional<Extent> next() {
    const std::uint64_t start = find(position_, false);
    if (start == count_) {
      position_ = count_;
      return std::nullopt;
    }
    position_ = find(start, true);
    return Extent{start, position_ - start};
  }
  std::uint64_t total_set() const {
    std::uint64_t total = 0;
    for (std::uint64_t at = 0; at < count_; at += 64) total += static_cast<std::uint64_t>(std::popcount(word(at)));
    return total;
  }
  bool all_set(Extent run) const {
    return run.end() <= count_ && (run.length == 0 || (is_set(run.start) && find(run.start, true) >= run.end()));
  }

 private:
  bool is_set(std::uint64_t bit) const { return (word(round_down(bit, 64)) >> (bit % 64) & 1) != 0; }
  // 64 bits from `at`, a multiple of 64; bits behind the end are clear.
  std::uint64_t word(std::uint64_t at) const {
    const std::uint64_t bits = le64(bits_, at / 8);
    return count_ - at >= 64 ? bits : bits & ((std::uint64_t{1} << (count_ - at)) - 1);
  }
  // The first set (or, inverted, clear) bit from `from` on; count_ if there is none.
  std::uint64_t find(std::uint64_t from, bool inverted) const {
    for (std::uint64_t at = from; at < count_; at = round_down(at, 64) + 64) {
      const std::uint64_t bits = inverted ? ~word(round_down(at, 64)) : word(round_down(at, 64));
      const std::uint64_t rest = bits >> (at % 64);
      if (rest != 0) return std::min(at + static_cast<std::uint64_t>(std::countr_zero(rest)), count_);
    }
    return count_;
  }

  ByteSpan bits_;
  std::uint64_t count_ = 0, position_ = 0;
};

// Sets bits [run.start, run.end()), which must lie inside.
inline void set_bits(MutableByteSpan bits, Extent run) {
  for (std::uint64_t i = run.start; i < run.end(); ++i) bits[i / 8] |= std::byte{1} << (i % 8);
}

}  // namespace tintype
