// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "fs/file_tree.h"
#include "fs/ntfs/mft.h"

namespace tintype::ntfs {

// Adds what is left of the asked bytes: the boot sector's backup, free space by $Bitmap, clusters that nobody claims, what lies behind the file
// system. `full`: claims were dropped, so that what nobody claims may be files.
void add_unclaimed(const Mft& mft, const ExtentSet& asked, bool full, std::vector<ByteOwner>& owners);

}  // namespace tintype::ntfs
