// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace tintype::test {

// A partclone image written by the description of its format alone (IMAGE_FORMATS.md of partclone), for what no partclone of today
// writes any more. It shares no code with the reader.
struct PartcloneMaker {
  unsigned version = 2;
  std::uint32_t block_bytes = 4096;
  std::uint64_t device_bytes = 0;  // 0: exactly the blocks
  std::vector<bool> used;          // one for each block
  std::uint32_t blocks_per_checksum = 0;
  std::uint16_t checksum_mode = 0;  // 0, 0x20
  bool reseed = true;
  std::size_t v1_checksum_bytes = 4;  // 8: the early 64-bit builds

  // `content`: of the device; only used blocks are taken from it.
  Bytes make(ByteSpan content) const;
  // What the image stands for: content with zeros where nothing is used.
  Bytes expected(ByteSpan content) const;
};

}  // namespace tintype::test
