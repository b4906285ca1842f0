// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "drive/linux/sysfs.h"

namespace tintype {

// A line of /proc/self/mountinfo (proc(5)) whose file system lives on block devices.
struct MountLine {
  dev_t file_system_id = 0;  // what stat() of its files says
  std::vector<dev_t> devices;
  std::string mount_point;
  bool read_only = false;  // of the file system, not of the mount point
};
std::vector<MountLine> read_mounts(const KernelPaths& paths);
// Device nodes and files of /proc/swaps.
std::vector<std::string> read_swaps(const KernelPaths& paths);

// A loop device with a backing file (Documentation/ABI/testing/sysfs-block-loop).
struct LoopLine {
  std::string name{};  // "loop3"
  std::string backing_file{};
  std::uint64_t offset_bytes = 0;
  std::uint64_t size_limit_bytes = 0;  // 0: to the end of the file
};
std::vector<LoopLine> read_loops(const KernelPaths& paths);

// The device number in a sysfs "dev" attribute, "8:16"; 0 if malformed.
dev_t parse_device_number(const std::string& text);

}  // namespace tintype
