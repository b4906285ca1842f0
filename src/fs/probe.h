// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>

#include "fs/filesystem.h"

namespace tintype {

// One per file system, called in turn by open_file_system. Returns null if the partition does not hold this file system, and a
// FileSystem (perhaps one that saves everything, with a warning) if it does. Fails only on a read error.
using Probe = Result<std::unique_ptr<FileSystem>> (*)(std::shared_ptr<Drive> partition);

Result<std::unique_ptr<FileSystem>> probe_fat(std::shared_ptr<Drive> partition);       // fs/fat/
Result<std::unique_ptr<FileSystem>> probe_exfat(std::shared_ptr<Drive> partition);     // fs/exfat/
Result<std::unique_ptr<FileSystem>> probe_ntfs(std::shared_ptr<Drive> partition);      // fs/ntfs/
Result<std::unique_ptr<FileSystem>> probe_ext(std::shared_ptr<Drive> partition);       // fs/ext/
Result<std::unique_ptr<FileSystem>> probe_reiserfs(std::shared_ptr<Drive> partition);  // fs/reiserfs/
Result<std::unique_ptr<FileSystem>> probe_swap(std::shared_ptr<Drive> partition);      // fs/swap/

}  // namespace tintype
