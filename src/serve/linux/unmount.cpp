// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "serve/linux/mount_table.h"
#include "serve/mount.h"

namespace tintype {
namespace {

// "\040" stands for a blank.
std::string unescaped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

// Who is not root asks the helper that mounted it, which may.
bool ask_fusermount(const std::string& folder) {
  const pid_t child = ::fork();
  if (child < 0) return false;
  if (child == 0) {
    ::execlp("fusermount3", "fusermount3", "-u", "-q", "--", folder.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool is_ours(const std::string& folder) {
  const std::vector<MountEntry> table = mount_table();
  const auto last = std::find_if(table.rbegin(), table.rend(), [&](const MountEntry& each) { return each.folder == folder; });
  return last != table.rend() && last->file_system == "fuse.tintype";
}

}  // namespace

std::vector<MountEntry> mount_table() {
  std::vector<MountEntry> out;
  std::ifstream file("/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    MountEntry entry;
    std::string word;
    for (int i = 0; i < 5 && words >> word; ++i) entry.folder = word;
    while (words >> word && word != "-") {
    }
    words >> entry.file_system >> entry.source;
    entry.folder = unescaped(entry.folder);
    entry.source = unescaped(entry.source);
    out.push_back(std::move(entry));
  }
  return out;
}

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
  if (code == EPERM && ask_fusermount(name)) return {};
  if (code == EPERM && is_ours(name))
    return fail(ErrorCode::busy, fmt::format("{} could not be unmounted: it is in use, or it is somebody else's", printable(folder)),
                "\"fuser -vm FOLDER\" shows by whom");
  return fail(os_error(code, fmt::format("cannot unmount {}", printable(folder))));
}

}  // namespace tintype
