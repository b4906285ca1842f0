// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/linux/nameless_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/text.h"

namespace tintype {

std::string temporary_folder() {
  const char* const given = std::getenv("TMPDIR");
  return given != nullptr && given[0] == '/' ? given : "/var/tmp";
}

Result<UniqueFd> open_nameless_file(const std::string& folder) {
  UniqueFd fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (fd) return fd;
  std::string name = folder + "/.tintype-XXXXXX";  // a file system without O_TMPFILE
  UniqueFd named(::mkostemp(name.data(), O_CLOEXEC));
  if (!named) return fail(os_error(errno, fmt::format("cannot make a temporary file in {}", printable(folder))));
  ::unlink(name.c_str());
  return named;
}

}  // namespace tintype
