// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/linux/removable.h"

#include <sys/sysmacros.h>

#include <cstdlib>

#include "drive/linux/sysfs.h"

namespace tintype {

bool on_removable_drive(const struct stat& st, [[maybe_unused]] const std::string& path) {
#ifdef TINTYPE_TEST_HOOKS
  if (const char* part = std::getenv("TINTYPE_TEST_REMOVABLE"); part != nullptr && path.find(part) != std::string::npos) return true;
#endif
  const dev_t device = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;
  return read_identity(sysfs_folder_of({}, major(device), minor(device))).removable;
}

}  // namespace tintype
