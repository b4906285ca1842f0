// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "drive/child_process.h"
#include "drive/linux/mount_table.h"

namespace tintype {
namespace {

constexpr std::string_view kPrefix = "tintype-";

// $XDG_RUNTIME_DIR is of one user and in memory; /tmp is everybody's, which mkdtemp(3) and the owner check below are made for.
std::string parent_folder() {
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  return runtime != nullptr && runtime[0] == '/' ? runtime : "/tmp";
}

void clear(const std::string& path) {
  for (const MountEntry& entry : mount_table())
    if (entry.folder.starts_with(path + "/") && ::umount2(entry.folder.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0) ask_fusermount(entry.folder, true);
  std::error_code error;
  for (std::filesystem::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    std::filesystem::remove(at->path(), ignored);  // a file, or a folder that is empty
  }
  ::rmdir(path.c_str());
}

// "tintype-4711-Ab3dEf" of a process that is no more.
bool is_left_behind(const std::string& path, const std::string& name) {
  pid_t pid = 0;
  const auto [end, code] = std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), pid);
  struct stat st{};
  return code == std::errc() && *end == '-' && pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH && ::lstat(path.c_str(), &st) == 0 &&
         S_ISDIR(st.st_mode) && st.st_uid == ::geteuid();
}

void sweep(const std::string& parent) {
  std::error_code error;
  for (std::filesystem::directory_iterator at(parent, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with(kPrefix) && is_left_behind(at->path().string(), name)) clear(at->path().string());
  }
}

}  // namespace

Result<std::unique_ptr<PrivateFolder>> PrivateFolder::make() {
  const std::string parent = parent_folder();
  sweep(parent);
  std::string path = fmt::format("{}/{}{}-XXXXXX", parent, kPrefix, ::getpid());
  if (::mkdtemp(path.data()) == nullptr) return fail(os_error(errno, fmt::format("cannot make a folder in {}", parent)));
  return std::unique_ptr<PrivateFolder>(new PrivateFolder(path));
}

PrivateFolder::~PrivateFolder() { clear(path_); }

}  // namespace tintype
