// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace tintype {

// What the head of a partclone image says. Source: IMAGE_FORMATS.md and src/partclone.h of partclone; all little endian.
//   "0001": 4160 bytes, then a byte for each block and "BiTmAgIc", then the blocks, each followed by a checksum
//   "0002":  110 bytes, then a bit for each block and their CRC-32, then strips of blocks, each followed by a checksum
struct PartcloneHeader {
  enum class Checksum { none, crc32, xxh64, xxh128, first_byte_crc32 };
  enum class Bitmap { all_used, bits, bytes };
  unsigned version = 0;  // 1, 2
  std::string file_system;
  std::uint64_t device_bytes = 0;  // never less than total_blocks · block_bytes
  std::uint64_t total_blocks = 0;
  std::uint32_t block_bytes = 0;   // 1 … 64 MiB
  Checksum checksum = Checksum::none;
  std::uint32_t checksum_bytes = 0;
  std::uint32_t blocks_per_checksum = 0;  // 0: no checksums
  bool reseed = true;                     // each checksum is of its own strip; otherwise of all blocks so far
  Bitmap bitmap = Bitmap::bits;
  std::uint64_t header_bytes = 0;
  std::uint64_t bitmap_bytes = 0;  // without what follows it
};

inline constexpr std::size_t kPartcloneHeadBytes = 110;  // enough to parse either version
bool is_partclone(ByteSpan head);

// Errors: corrupt (magic, checksum, sizes that contradict each other), unsupported (another version, byte order or checksum; more than
// 2^36 blocks).
Result<PartcloneHeader> parse_partclone_header(ByteSpan head, const std::string& name);

// partclone's CRC-32: as zlib's, but without the inversion at both ends. Starts with kPartcloneCrcSeed.
inline constexpr std::uint32_t kPartcloneCrcSeed = 0xFFFFFFFF;
std::uint32_t partclone_crc32(std::uint32_t state, ByteSpan bytes);
// That of version 1: a slip in it takes the first byte of the block again and again.
std::uint32_t partclone_crc32_v1(std::uint32_t state, ByteSpan block);

}  // namespace tintype
