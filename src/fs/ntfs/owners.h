// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "fs/file_tree.h"
#include "fs/ntfs/mft.h"

namespace tintype::ntfs {

// FileTree::owners() of NTFS. One pass over $MFT, then names for what was found (a second pass through all folders' indexes if
// records that are asked for cannot be read), then $Bitmap for what nobody claims. Memory: what was
// found, at most 10,000 owners and a million pieces of the asked ranges; one more owner stands for all that is past this.
Result<std::vector<ByteOwner>> find_owners(const Mft& mft, const ExtentSet& asked);

}  // namespace tintype::ntfs
