// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tintype {

// Where the kernel describes itself; a test points them at a made-up tree.
struct KernelPaths {
  std::string sys = "/sys";
  std::string proc = "/proc";
  std::string dev = "/dev";
};

// Kernel documentation: Documentation/ABI/{stable,testing}/sysfs-block and sysfs-block-loop.

// The content of an attribute without surrounding blanks; empty if it is missing or unreadable. At most 64 KiB are read.
std::string read_attribute(const std::string& file);
std::optional<std::uint64_t> read_number(const std::string& file);
// Names of a folder's entries, sorted; empty if it is missing.
std::vector<std::string> entries_of(const std::string& folder);

// Identity of a block device from its sysfs folder, the whole drive's for a partition. Fields are empty if not known.
struct DeviceIdentity {
  std::string model;
  std::string serial;
  bool removable = false;
};
DeviceIdentity read_identity(const std::string& sysfs_folder);
// The sysfs folder of a device number, links resolved; empty if there is none.
std::string sysfs_folder_of(const KernelPaths& paths, unsigned major, unsigned minor);

}  // namespace tintype
