// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <vector>

#include "fs/filesystem.h"
#include "fs/ntfs/cluster_bitmap.h"

namespace tintype::ntfs {

// pagefile.sys, swapfile.sys and hiberfil.sys of the root, each only if nothing about it is doubtful: one plain name, a plain or
// sparse data stream, clusters that the bitmap calls used and no other record claims. $MFT is read once if there is any.
std::vector<LeftOutFile> find_left_out_files(Volume& volume, const ExtentSet& system_ranges);

// Whether the first byte of a file, whose runs are given in the file's order, begins one of the pieces that they join to. A restore
// clears the beginning of every piece, as it knows them by place only; a head in the middle of one would stay, and what an
// older system left there could be resumed.
bool head_begins_a_piece(const std::vector<Extent>& in_file_order);

}  // namespace tintype::ntfs
