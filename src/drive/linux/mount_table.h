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

// Unmounts a FUSE file system by the helper that mounted it for somebody who is not root. `lazily`: even if it is in use.
bool ask_fusermount(const std::string& folder, bool lazily);

}  // namespace tintype
