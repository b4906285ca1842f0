// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "fs/file_tree.h"
#include "fs/reiserfs/superblock.h"

namespace tintype::reiserfs {

// FileTree::owners() for ReiserFS: one pass over the leaves for whose the bytes are, one for the names of those, then the folders
// above them.
Result<std::vector<ByteOwner>> owners_of(const std::shared_ptr<Drive>& drive, const Super& super, const ExtentSet& bytes);

}  // namespace tintype::reiserfs
