// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/extent.h"
#include "drive/drive.h"

namespace tintype {

// Damaged bytes of one partition; they count from its start.
struct PartitionDamage {
  std::string partition;  // for people: "partition 0x1 (ntfs, Windows)"
  Extent range;           // of the drive
  ExtentSet bytes;
};

// What damage hits, one line each for people and for programs: "partition 0x1 (ntfs, Windows): /Users/ann/a.doc, 4.0 KiB". Structures of a
// file system come first, as damage in them can hide files; free space comes last. At most `kMostHits` lines, then how many more.
inline constexpr std::size_t kMostHits = 1000;

// Looks the files up on `drive`: the one that was saved, an opened image, what a salvage wrote. What of it is damaged may fail to be read. A
// partition whose files cannot be told gets a line that says why. Goes through the whole of each damaged file system.
std::vector<std::string> owners_of_damage(const std::shared_ptr<Drive>& drive, const std::vector<PartitionDamage>& damage);

}  // namespace tintype
