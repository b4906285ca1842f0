// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"

namespace tintype {

// The Reed-Solomon arithmetic of one stripe: `data` data blocks, `parity` parity blocks (docs/format/parity.md). Knows
// nothing of files. After construction it is not changed: any number of threads may use it.
class ParityCode {
 public:
  ParityCode(std::uint32_t data, std::uint32_t parity);

  // Parity blocks out of data blocks, all of `bytes` bytes; data blocks may be null: zeros.
  void encode(std::span<const std::byte* const> data, std::span<std::byte* const> parity, std::size_t bytes) const;

  // How lost data blocks come back: each is a sum of the same `sources` (positions in the stripe: data from 0, parity
  // behind them).
  struct Recipe {
    std::vector<std::uint32_t> sources;
    std::vector<std::uint32_t> lost;        // data blocks, ascending
    std::vector<std::uint8_t> tables;       // of the arithmetic
  };
  // `lost`: data blocks, ascending; `sound_parity`: parity blocks (from 0) that are there, at least as many.
  Recipe recipe(std::span<const std::uint32_t> lost, std::span<const std::uint32_t> sound_parity) const;
  // Carries a recipe out; `sources` and `out` in its order.
  static void rebuild(const Recipe& recipe, std::span<const std::byte* const> sources, std::span<std::byte* const> out, std::size_t bytes);

 private:
  std::uint8_t coefficient(std::uint32_t parity, std::uint32_t data) const;
  std::uint32_t data_, parity_;
  std::vector<std::uint8_t> tables_;
  Bytes zeros_;
};

}  // namespace tintype
