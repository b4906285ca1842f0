// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string_view>
#include <vector>

#include "fs/ntfs/mft.h"

namespace tintype::ntfs {

// A name in a directory.
struct DirectoryEntry {
  FileReference file;
  Bytes name;  // UTF-16, as stored
};

// The entries of the directory whose names are among `wanted` (ASCII, lower case), in any case. All blocks in use are looked
// at, whatever order they are in, so that a mis-sorted index hides nothing. Error{corrupt} if a block is damaged.
Result<std::vector<DirectoryEntry>> find_names(const Mft& mft, const File& directory,
                                               const std::vector<std::string_view>& wanted);

}  // namespace tintype::ntfs
