// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "drive/linux/sysfs.h"
#include "drive/list.h"

namespace tintype {

// As list_drives(), from any tree that looks like the kernel's.
Result<std::vector<ListedDrive>> list_drives(const KernelPaths& paths);

}  // namespace tintype
