// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <vector>

#include "base/extent.h"
#include "drive/drive.h"
#include "fs/ext/superblock.h"

namespace tintype::ext {

// What a group descriptor says of its group. Block numbers are checked to lie inside the file system.
struct Group {
  std::uint64_t block_bitmap = 0, inode_bitmap = 0, inode_table = 0;
  std::uint32_t free_clusters = 0;
  std::uint32_t bitmap_csum = 0;  // of the block bitmap, as many bits as the descriptor has room for
  bool bitmap_uninit = false;     // the block bitmap was never written: only metadata is in use
  std::uint32_t inodes_in_table = 0;  // those behind them were never used
};

// A run of blocks.
struct Blocks {
  std::uint64_t first = 0, count = 0;
};

// The descriptors of groups [first, first + count), read with few large requests. Error{corrupt} if a checksum or a
// position is wrong, or if the range leaves the file system.
Result<std::vector<Group>> read_groups(Drive& drive, const Super& super, std::uint64_t first, std::uint64_t count,
                                       bool verify_checksums);

// Metadata that lies in a group by the rules of the format: copies of the superblock and of the descriptors, and
// the blocks reserved for the descriptors to grow.
std::vector<Blocks> fixed_metadata(const Super& super, std::uint64_t group);
// The group's own bitmaps and inode table, wherever they are.
std::vector<Blocks> own_metadata(const Super& super, const Group& group);

// Looks at every descriptor once and gives the bytes of metadata that lie outside its own group (flex_bg gathers
// that of many groups in one place). Errors as read_groups; Error{unsupported} past a cap on the pieces.
Result<ExtentSet> survey_groups(Drive& drive, const Super& super, bool verify_checksums);

}  // namespace tintype::ext
