// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/linux/mount_table.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>

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

bool ask_fusermount(const std::string& folder, bool lazily) {
  const pid_t child = ::fork();
  if (child < 0) return false;
  if (child == 0) {
    ::execlp("fusermount3", "fusermount3", lazily ? "-uz" : "-u", "-q", "--", folder.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace tintype
