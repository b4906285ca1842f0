// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <unordered_map>

#include "fs/ntfs/names.h"

namespace tintype::ntfs {

// From a file to its path, by the parents that names give. Folders are remembered, 1 MiB of text at most. Hostile volumes: loops and
// depths past 256 end, and what cannot be followed begins with "/?/".
class Paths {
 public:
  explicit Paths(const Mft& mft) : mft_(mft) {}

  struct Found {
    std::string path;  // of the first of its names; "/?/record 77" if it cannot be read
    bool folder = false;
    bool exists = false;  // the record is in use by this life of the file
  };
  Found find(FileReference file);
  std::string folder_path(FileReference folder);  // without the final slash: empty for the root

 private:
  struct Named {
    bool exists = false, folder = false;
    std::string name;  // empty: none that can be read
    FileReference parent;
  };
  Named name_of(FileReference file) const;

  const Mft& mft_;
  std::unordered_map<std::uint64_t, std::pair<std::uint16_t, std::string>> folders_;  // by record
  std::size_t remembered_bytes_ = 0;
};

}  // namespace tintype::ntfs
