// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "drive/open.h"
#include "drive/overlay_drive.h"

namespace tintype {

Result<std::shared_ptr<Drive>> make_scratch_file(const std::string& folder, std::uint64_t size_bytes) {
  std::string path = folder + "/.tintype-scratch-XXXXXX";
  const int fd = ::mkstemp(path.data());
  if (fd < 0) return fail(os_error(errno, fmt::format("cannot make a temporary file in {}", folder)));
  ::close(fd);
  Result<std::shared_ptr<Drive>> drive = create_raw_file(path, size_bytes, {.replace = true});
  ::unlink(path.c_str());
  return drive;
}

}  // namespace tintype
