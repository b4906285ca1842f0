// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <sys/mount.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/text.h"
#include "drive/linux/mount_table.h"
#include "serve/mount.h"

namespace tintype {
namespace {

bool is_ours(const std::string& folder) {
  const std::vector<MountEntry> table = mount_table();
  const auto last = std::find_if(table.rbegin(), table.rend(), [&](const MountEntry& each) { return each.folder == folder; });
  return last != table.rend() && last->file_system == "fuse.tintype";
}

}  // namespace

Result<void> unmount(const std::string& folder) {
  // Not resolved by looking at the folder itself: a mount whose server was killed cannot be looked at.
  std::error_code error;
  std::filesystem::path path = std::filesystem::absolute(folder, error).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  const std::filesystem::path parent = std::filesystem::weakly_canonical(path.parent_path(), error);
  const std::string name = (error ? path : parent / path.filename()).string();
  if (!is_ours(name))
    return fail(ErrorCode::not_found, fmt::format("no image is mounted on {}", printable(folder)), "\"findmnt -t fuse.tintype\" shows where one is");
  if (::umount2(name.c_str(), UMOUNT_NOFOLLOW) == 0) return {};
  const int code = errno;
  if (code == EBUSY)
    return fail(ErrorCode::busy, fmt::format("{} is in use", printable(folder)), "\"fuser -vm FOLDER\" shows by whom; end that, then try again");
  if (code == EPERM && ask_fusermount(name, false)) return {};
  if (code == EPERM && is_ours(name))
    return fail(ErrorCode::busy, fmt::format("{} could not be unmounted: it is in use, or it is somebody else's", printable(folder)),
                "\"fuser -vm FOLDER\" shows by whom");
  return fail(os_error(code, fmt::format("cannot unmount {}", printable(folder))));
}

}  // namespace tintype
