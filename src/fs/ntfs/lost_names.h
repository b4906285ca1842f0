// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <map>
#include <set>
#include <string>

#include "fs/ntfs/paths.h"

namespace tintype::ntfs {

// A file that only a folder still knows.
struct LostName {
  std::string path;
  bool folder = false;
};

// The names of files whose own records cannot be read, out of the indexes of all folders: reads every index of the volume. Memory:
// what was asked for.
std::map<std::uint64_t, LostName> names_in_folders(const Mft& mft, const std::set<std::uint64_t>& records, Paths& paths);

}  // namespace tintype::ntfs
