// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <memory>

#include "fs/ext/groups.h"
#include "fs/ext/inode.h"
#include "fs/mapped_content.h"

namespace tintype::ext {

// Where the content of an inode with a block map (extents or lists of blocks) lies. Blocks that are allocated but not written
// read as zeros. Memory: one block for each level of the tree.
std::unique_ptr<ContentMap> map_of(std::shared_ptr<Drive> drive, const Super& super, const Inode& inode);

// Calls for every run of blocks that the map names: data, unwritten or not, and the blocks of the map itself. What is damaged is
// passed over. `budget` is how many blocks of maps may still be read, so that trees that share branches end.
void for_each_block(Drive& drive, const Super& super, const Inode& inode, std::uint64_t& budget,
                    const std::function<void(Blocks run)>& visit);

}  // namespace tintype::ext
