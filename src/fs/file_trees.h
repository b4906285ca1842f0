// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "fs/file_tree.h"

// The kinds behind open_file_tree(). Private to the room.
namespace tintype {

// Takes the boot sector's backup if need be.
Result<std::unique_ptr<FileTree>> open_ntfs_tree(std::shared_ptr<Drive> partition);  // fs/ntfs/

}  // namespace tintype
