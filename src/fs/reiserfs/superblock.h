// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "drive/drive.h"

namespace tintype::reiserfs {

// The superblock of ReiserFS 3.5 and 3.6, little endian, at byte 65536 of the partition, or at 8192 in the oldest ones.
// Source: the on-disk structures in the Linux kernel's fs/reiserfs/reiserfs.h (removed in 6.13) and mkreiserfs(8).
inline constexpr std::uint64_t kPlace = 65536;
inline constexpr std::uint64_t kOldPlace = 8192;
inline constexpr std::size_t kSuperBytes = 204;

struct Super {
  std::uint64_t place = kPlace;
  std::uint64_t blocks = 0, free_blocks = 0;
  std::uint32_t block_bytes = 0;
  std::uint64_t journal_first = 0, journal_blocks = 0;  // with its header block, which is the last; 0 if elsewhere
  bool journal_elsewhere = false;
  std::uint16_t unmount_state = 0, repair_state = 0;
  std::uint64_t root_block = 0;  // of the tree
  std::string label, uuid;

  std::uint64_t bytes() const { return blocks * block_bytes; }
  std::uint64_t blocks_per_bitmap() const { return std::uint64_t{block_bytes} * 8; }
  std::uint64_t bitmaps() const { return div_round_up(blocks, blocks_per_bitmap()); }
  // The first bitmap follows the superblock, every other one starts the region that it describes; in the oldest
  // file systems all of them follow the superblock.
  std::uint64_t bitmap_block(std::uint64_t index) const {
    const std::uint64_t first = place / block_bytes + 1;
    return place == kOldPlace ? first + index : index == 0 ? first : index * blocks_per_bitmap();
  }
};

bool looks_like_super(ByteSpan raw);
Super describe_super(ByteSpan raw, std::uint64_t place);
// The superblock, wherever it lies; nothing if there is none. Not checked.
Result<std::optional<Super>> find_super(Drive& partition);
// Error{corrupt} if the numbers contradict each other or the partition's size.
Result<void> check_super(const Super& super, std::uint64_t partition_bytes);
// Error says why the bitmaps cannot be believed. A journal not replayed means that they may be behind the files, or the files
// behind it.
Result<void> check_clean(Drive& drive, const Super& super);

}  // namespace tintype::reiserfs
