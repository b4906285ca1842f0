// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "drive/drive.h"
#include "fs/file_tree.h"

namespace tintype {

// A drive as a file of that name and of the drive's size.
struct ShownDrive {
  std::string name;
  std::shared_ptr<Drive> drive;
  bool writable = false;
};

// The files of a file system as a folder of that name, read-only.
struct ShownTree {
  std::string name;
  std::unique_ptr<FileTree> tree;
};

struct Shown {
  std::string source;  // what the list of mounts says it is of
  std::vector<ShownDrive> drives;
  std::vector<ShownTree> trees;  // in a folder "files"; none: there is no such folder
  std::chrono::sys_seconds time{};  // of all that has no time of its own
  bool allow_other = false;      // other users of the machine may look too
};

// A folder in which drives are shown. Errors of a drive come to its reader as EIO, a full store for writes as ENOSPC.
class Mount {
 public:
  virtual ~Mount() = default;  // stop()
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;

  // True when somebody has unmounted it, false after that time. Any thread.
  virtual bool wait(std::chrono::milliseconds most) = 0;
  // Unmounts, whoever still has something open, and waits for the threads.
  virtual void stop() = 0;

 protected:
  Mount() = default;
};

// Mounts on an existing, empty folder. Errors: usage (not a folder, not empty), busy (something is mounted there), denied,
// unsupported (no FUSE here).
Result<std::unique_ptr<Mount>> mount(const std::string& folder, Shown shown);

// Ends what mount() put on a folder, by this process or another. Errors: not_found if nothing of ours is mounted there; busy if
// it is in use; denied.
Result<void> unmount(const std::string& folder);

}  // namespace tintype
