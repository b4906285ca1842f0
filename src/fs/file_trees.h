// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "fs/file_tree.h"

// The kinds behind open_file_tree(). Private to the room.
namespace tintype {

// By the boot sector or, if that cannot be read, its backup. For a tree the used map is of no interest, and proving that of an unclean volume
// takes a pass over its whole table.
bool begins_as_ntfs(Drive& partition);  // fs/ntfs/
// Takes the boot sector's backup if need be.
Result<std::unique_ptr<FileTree>> open_ntfs_tree(std::shared_ptr<Drive> partition);  // fs/ntfs/
// Null if the partition holds another file system; an Error if it holds this one and no file can be read from it.
Result<std::unique_ptr<FileTree>> open_exfat_tree(std::shared_ptr<Drive> partition);  // fs/exfat/
Result<std::unique_ptr<FileTree>> open_ext_tree(std::shared_ptr<Drive> partition);       // fs/ext/
Result<std::unique_ptr<FileTree>> open_fat_tree(std::shared_ptr<Drive> partition);       // fs/fat/
Result<std::unique_ptr<FileTree>> open_reiserfs_tree(std::shared_ptr<Drive> partition);  // fs/reiserfs/

}  // namespace tintype
