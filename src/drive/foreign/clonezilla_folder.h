// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "drive/drive.h"

namespace tintype {

// Clonezilla's image folders: for each disk sda-pt.sf (as `sfdisk --dump` writes it), sda-pt.parted, sda-mbr,
// sda-hidden-data-after-mbr, sda-gpt-1st, sda-gpt-2nd, sda-gpt.gdisk, sda4-ebr; for each partition sda1.ext4-ptcl-img.gz.aa,
// sda1.dd-img.aa … or swappt-sda2.info. Source of the names: ocs-functions of Clonezilla 5.3.

// The disks with a partition table in the folder ("sda"), sorted; empty if it is no such folder.
std::vector<std::string> clonezilla_disks(const std::string& folder);

// One disk of it, read-only, named `name`. Table sectors come from the files, or are made from the dump where there are none: so are the
// tables of logical volumes, of which Clonezilla keeps only the first. A swap partition has a fresh header with its old UUID. Partitions that were
// not saved, and free space, are not_saved.
// Errors: corrupt, not_found (such as a missing part), unsupported (LVM, LUKS; images of ntfsclone or partimage).
Result<std::shared_ptr<Drive>> open_clonezilla_disk(const std::string& folder, const std::string& disk, const std::string& name);

// The files that hold its partitions (the first of each), and the bytes of the partition.
struct ClonezillaImage {
  std::string file;
  std::uint64_t partition_bytes = 0;
};
Result<std::vector<ClonezillaImage>> clonezilla_images(const std::string& folder, const std::string& disk);

}  // namespace tintype
