// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <sys/stat.h>

#include <string>

namespace tintype {

// Whether a block device is part of a removable drive, or a file or folder lies on one. False where the system does
// not say (networks, device mappers). In builds with TINTYPE_TEST_HOOKS also if `path` contains $TINTYPE_TEST_REMOVABLE.
bool on_removable_drive(const struct stat& st, const std::string& path);

}  // namespace tintype
