// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <vector>

#include "fs/filesystem.h"
#include "fs/ntfs/cluster_bitmap.h"

namespace tintype::ntfs {

// pagefile.sys, swapfile.sys and hiberfil.sys of the root, each only if nothing about it is doubtful: one plain name, a plain or
// sparse data stream, clusters that the bitmap calls used and no other record claims. $MFT is read once if there is any.
std::vector<LeftOutFile> find_left_out_files(Volume& volume, const ExtentSet& system_ranges);

}  // namespace tintype::ntfs
