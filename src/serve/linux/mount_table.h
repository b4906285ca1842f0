// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <vector>

namespace tintype {

struct MountEntry {
  std::string folder;       // where it is mounted
  std::string file_system;  // "fuse.tintype"
  std::string source;
};

// What is mounted as this process sees it (/proc/self/mountinfo, documented in proc(5)); the latest last.
std::vector<MountEntry> mount_table();

}  // namespace tintype
