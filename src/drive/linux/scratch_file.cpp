// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "drive/linux/nameless_file.h"
#include "drive/open.h"
#include "drive/overlay_drive.h"

namespace tintype {

Result<std::shared_ptr<Drive>> make_scratch_file(const std::string& folder, std::uint64_t size_bytes) {
  const std::string& where = folder.empty() ? temporary_folder() : folder;
  const UniqueFd fd = TRY(open_nameless_file(where));
  if (::ftruncate(fd.get(), static_cast<off_t>(size_bytes)) != 0)
    return fail(os_error(errno, fmt::format("cannot make a temporary file of {} bytes in {}", size_bytes, printable(where))));
  // Opened by its descriptor, as it has no other name; the drive keeps it alive from then on.
  return open_drive(fmt::format("/proc/self/fd/{}", fd.get()), {.access = OpenOptions::Access::write});
}

}  // namespace tintype
