// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "base/page_cache.h"
#include "base/result.h"
#include "drive/drive.h"

namespace tintype {

struct OpenOptions {
  enum class Access { read, write };  // write can also read
  Access access = Access::read;
  // Block devices: fails with Error{busy} if the device, one of its partitions or a device built on it is mounted or
  // otherwise claimed, and keeps others from claiming it while open. No meaning for files.
  bool exclusive = false;
  // An advisory lock held while open, shared for reading and exclusive for writing, so that two runs of this program (and
  // well-behaved others, such as udev) do not work on the same drive at the same time. Error{busy} if somebody has it.
  bool lock = false;
  // Requests go past the page cache where the file system can do that. For devices that are read once. Not needed for seeing bad
  // sectors as they are: near a read that failed, small reads do so anyway.
  bool direct = false;
  CacheUse cache = {};
  bool by_content = false;  // a file may be a virtual drive whatever its name says, unless it says that it is a raw file
  bool as_raw = false;  // a file whose name says that it is a virtual drive (virtual_drive.h) is opened as the bytes that it has
  // Logical sector size of a raw file; 0: 512. Block devices know their own, and it wins.
  std::uint32_t sector_bytes = 0;
};

// Opens a regular file or a block device as a Drive; a file named like a virtual drive (.vhd, .qcow2 …) as what it holds. The drive's info().path is `path` as given.
// Errors: not_found, denied (also for write access to a read-only device), busy, usage (a folder, a pipe, a strange sector size).
Result<std::shared_ptr<Drive>> open_drive(const std::string& path, OpenOptions options = {});

struct CreateOptions {
  bool replace = false;  // an existing regular file is emptied first; otherwise it is Error{exists}
  bool lock = false;
  CacheUse cache = {};
  std::uint32_t sector_bytes = 0;  // 0: 512
};

// Makes a sparse file of the given size and opens it for writing. If that fails half-way, no new file is left behind.
Result<std::shared_ptr<Drive>> create_raw_file(const std::string& path, std::uint64_t size_bytes, CreateOptions options = {});

// Asks the system to read the partition table of a block device again. Returns false, and is no error, where there is nothing to
// ask: a file, or a device without partitions. Error{busy} if a partition of it is in use.
Result<bool> reread_table(Drive& drive);

}  // namespace tintype
