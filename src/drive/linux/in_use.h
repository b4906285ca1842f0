// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "drive/in_use.h"
#include "drive/linux/mounts.h"
#include "drive/linux/sysfs.h"

namespace tintype {

// The kernel's lists, read once for many questions.
struct KernelLists {
  std::vector<MountLine> mounts;
  std::vector<std::string> swaps;
  std::vector<LoopLine> loops;
};
KernelLists read_kernel_lists(const KernelPaths& paths);

// As find_uses() of drive/in_use.h, for a block device known by its number (for tests: in a made-up tree).
std::vector<Use> find_device_uses(const KernelPaths& paths, const KernelLists& lists, dev_t device, std::uint64_t size_bytes);

}  // namespace tintype
