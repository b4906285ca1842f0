// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/linux/mounts.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

namespace tintype {
namespace {

// Blanks and backslashes in paths come as octal, "\040".
std::string unescaped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(&text[i + 1], &text[i + 1] + 3, value, 8).ptr == &text[i + 1] + 3 && value < 256) {
      out += static_cast<char>(value);
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool has_option(const std::string& options, const std::string& option) {
  return ("," + options + ",").find("," + option + ",") != std::string::npos;
}

// A file system on several devices, or with a number of its own, does not name its devices in mountinfo.
void add_named_devices(const KernelPaths& paths, const std::string& type, const std::string& source, MountLine& mount) {
  struct stat st{};
  if (!source.starts_with('/') || ::stat(source.c_str(), &st) != 0 || !S_ISBLK(st.st_mode)) return;
  mount.devices.push_back(st.st_rdev);
  if (type != "btrfs") return;
  const std::string root = paths.sys + "/fs/btrfs";
  for (const std::string& uuid : entries_of(root)) {
    std::vector<dev_t> members;
    for (const std::string& name : entries_of(root + "/" + uuid + "/devices"))
      members.push_back(parse_device_number(read_attribute(root + "/" + uuid + "/devices/" + name + "/dev")));
    if (std::find(members.begin(), members.end(), st.st_rdev) != members.end()) mount.devices = members;
  }
}

}  // namespace

dev_t parse_device_number(const std::string& text) {
  unsigned major_number = 0, minor_number = 0;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, major_number);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ':') return 0;
  const auto second = std::from_chars(first.ptr + 1, end, minor_number);
  if (second.ec != std::errc() || second.ptr != end) return 0;
  return makedev(major_number, minor_number);
}

std::vector<MountLine> read_mounts(const KernelPaths& paths) {
  std::vector<MountLine> mounts;
  std::ifstream file(paths.proc + "/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string id, parent, number, root, point, options, word, type, source, super_options;
    fields >> id >> parent >> number >> root >> point >> options;
    while (fields >> word && word != "-") {  // optional fields
    }
    fields >> type >> source >> super_options;
    if (type.empty()) continue;
    MountLine mount;
    mount.file_system_id = parse_device_number(number);
    mount.mount_point = unescaped(point);
    mount.read_only = has_option(super_options, "ro");
    if (major(mount.file_system_id) != 0)
      mount.devices.push_back(mount.file_system_id);
    else
      add_named_devices(paths, type, unescaped(source), mount);
    if (!mount.devices.empty()) mounts.push_back(std::move(mount));
  }
  return mounts;
}

std::vector<std::string> read_swaps(const KernelPaths& paths) {
  std::vector<std::string> swaps;
  std::ifstream file(paths.proc + "/swaps");
  std::string line;
  std::getline(file, line);  // headings
  while (std::getline(file, line))
    if (const std::string path = unescaped(line.substr(0, line.find_first_of(" \t"))); !path.empty()) swaps.push_back(path);
  return swaps;
}

std::vector<LoopLine> read_loops(const KernelPaths& paths) {
  std::vector<LoopLine> loops;
  for (const std::string& name : entries_of(paths.sys + "/block")) {
    if (!name.starts_with("loop")) continue;
    const std::string folder = paths.sys + "/block/" + name + "/loop/";
    LoopLine loop{.name = name, .backing_file = read_attribute(folder + "backing_file")};
    if (loop.backing_file.empty()) continue;
    loop.offset_bytes = read_number(folder + "offset").value_or(0);
    loop.size_limit_bytes = read_number(folder + "sizelimit").value_or(0);
    loops.push_back(std::move(loop));
  }
  return loops;
}

}  // namespace tintype
