// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "base/extent.h"
#include "base/result.h"
#include "drive/drive.h"
#include "fs/filesystem.h"
#include "support/scratch.h"

namespace tintype::test {

// An image file as our code sees it: the file system's facts and its whole map.
struct Seen {
  FsInfo info;
  ExtentSet map;
};
Result<Seen> look_at(const std::filesystem::path& image);

// What dumpe2fs says is free, in bytes; and "Block count", "Free blocks", "Block size" of its header.
struct Dumped {
  std::uint64_t blocks = 0, free_blocks = 0, block_bytes = 0;
  ExtentSet free;
};
Dumped dumpe2fs(const std::filesystem::path& image);

// Overwrites every byte of the file outside the set with 0xDB.
void spoil_all_but(const std::filesystem::path& image, const ExtentSet& kept);

// Loop mounts of one image under a folder of its own; undone on destruction. ok() is false if the machine does
// not allow it (no root, no loop devices).
class Mount {
 public:
  explicit Mount(const std::filesystem::path& image, const std::string& options = "");
  ~Mount();
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;
  bool ok() const { return mounted_; }
  const std::filesystem::path& folder() const { return folder_; }
  std::string device() const { return device_; }

 private:
  std::string device_;
  std::filesystem::path folder_;
  bool mounted_ = false;
};

// sha256sum of every file under a folder, sorted: equal text means equal trees.
std::string digest(const std::filesystem::path& folder);
// A folder with 150 files of mixed sizes, a deep path and a sparse file.
void make_tree(const std::filesystem::path& folder);

}  // namespace tintype::test
