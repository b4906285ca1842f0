// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/extent.h"
#include "base/result.h"

namespace tintype {

// One thing that uses a part of a drive right now.
struct Use {
  enum class Kind {
    mount,   // a mounted file system
    swap,    // swap space, as a device or as a file
    loop,    // a loop device made of it
    holder,  // a device built on it: dm (LVM, encryption), md
  };
  Kind kind = Kind::mount;
  std::string device{};       // "/dev/sda2", "/dev/loop3", or the file
  std::string mount_point{};  // mounts only
  bool read_only = false;   // nothing is written through it. Mounts: the file system itself, not only this mount point
  Extent extent{};            // bytes of the drive asked about that it covers; all of them where the mapping is not known
  std::uint64_t file_system_id = 0;  // mounts: st_dev of the files in it

  bool touches(Extent range) const { return range.start < extent.end() && extent.start < range.end(); }
  // "/dev/sda2 is mounted on /home", "/dev/sda3 is swap space" …
  std::string text() const;
};

// Who uses the drive: mounts and swaps of the device, of its partitions, of loop devices and other devices built on it, at any
// depth; the same for a raw file that is the content of a loop device. So a caller can refuse only what would be harmed.
// Only mounts that this process sees count; an exclusive open finds the rest. Errors: not_found, or no kernel files to ask.
Result<std::vector<Use>> find_uses(const std::string& drive_path);

// Where the bytes of a drive really are: a partition is part of its whole device, a loop device part of its file.
// Two drives share bytes exactly if `object` is the same and the extents overlap.
struct Location {
  std::string object;
  Extent extent;
  bool overlaps(const Location& other) const {
    return object == other.object && extent.start < other.extent.end() && other.extent.start < extent.end();
  }
};
Result<Location> location_of(const std::string& drive_path);

// True if the file (or, if there is none yet, its folder) is inside the mounted file system `use` tells of.
bool holds_file(const Use& use, const std::string& file);

}  // namespace tintype
