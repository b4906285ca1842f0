// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "fs/ext/inode.h"
#include "fs/file_tree.h"

namespace tintype::ext {

// FileTree::owners() for ext. First the inodes are found whose blocks are asked for, by going through the inode tables; then
// the folders that name them, the same way; then the folders above those. Nothing is kept but what was found.
Result<std::vector<ByteOwner>> owners_of(const std::shared_ptr<Drive>& drive, const Super& super, const ExtentSet& bytes);

}  // namespace tintype::ext
