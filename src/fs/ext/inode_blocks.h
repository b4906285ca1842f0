// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <vector>

#include "drive/drive.h"
#include "fs/ext/superblock.h"

namespace tintype::ext {

// Consecutive blocks of a file that are consecutive on the drive.
struct FileRun {
  std::uint64_t file_block = 0;   // position in the file
  std::uint64_t drive_block = 0;  // inside the file system (checked)
  std::uint64_t count = 0;
};

// Where the blocks of an inode lie, in file order, without gaps from block 0 on (a gap or anything odd is
// Error{corrupt}): for the journal, which has none. Blocks from `max_blocks` on are not looked at.
Result<std::vector<FileRun>> blocks_of_inode(Drive& drive, const Super& super, std::uint32_t inode,
                                             std::uint64_t max_blocks, bool verify_checksums);

}  // namespace tintype::ext
