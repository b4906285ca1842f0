// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "drive/drive.h"
#include "drive/in_use.h"

namespace tintype {

// A drive of this machine as `tintype list` shows it. Nothing was opened to find it out.
struct ListedDrive {
  unsigned number = 0;  // what the user types
  DriveInfo info;
  std::string backing_file;  // loop devices
  std::vector<Use> uses;
  bool in_use() const { return !uses.empty(); }
  std::vector<std::string> mount_points() const;
  // "drive 1: /dev/sdb, Samsung SSD 870 (S5Y2NJ0R), 931 GiB, in use: /dev/sdb1 is mounted on /home"
  std::string text() const;
};

// Whole drives with a medium in them, numbered from 0: SCSI/ATA/USB, virtio, Xen, NVMe, memory cards, persistent memory, nbd, md and multipath; loop
// devices with content come last, so that they do not renumber the others. Partitions, LVM and encrypted volumes, optical
// drives, RAM discs and empty readers are not drives.
Result<std::vector<ListedDrive>> list_drives();

}  // namespace tintype
