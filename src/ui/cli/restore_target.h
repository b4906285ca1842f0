// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <string>

#include "base/page_cache.h"
#include "drive/virtual_drive.h"
#include "naming/resolve.h"
#include "options/command.h"
#include "plan/restore_plan.h"

namespace tintype::cli {

// Where a restore goes: a drive there is, or a file that is yet to be made.
struct RestoreTarget {
  std::string path;
  bool is_new = false;
  DriveFormat format = DriveFormat::raw;  // of a new one
  bool replace = false;                   // a new one takes the place of the file that is there
  DriveInfo info;
  Layout layout;
  std::uint32_t partition = 0;
  bool partition_named = false;
  TargetWords words;
  std::string text;  // for questions: "drive 1: /dev/sdb, Samsung SSD 870 …", "new.raw, 20 GiB"
};

// What --create and --type say of a target that is yet to be made.
struct NewDrive {
  std::optional<std::uint64_t> size_bytes{};  // empty: as large as the source
  std::optional<DriveFormat> format{};        // empty: what the file's name says
};
NewDrive new_drive(const options::ParsedCommand& command);

// Finds what the names (--drive, --target-drive) mean; without any, the drive whose signature `source` has. A path that does not exist, and
// a virtual drive that is to be made, is a new file. Writes nothing. Of `source` only the drive and its layout are looked at.
Result<RestoreTarget> find_target(std::vector<std::string> names, const SourceView& source, const NewDrive& wanted);

// What of the image a restore puts where, from --source-partition, --first-fit and the target's name.
Result<RestoreOptions> placement_of(const options::ParsedCommand& command, const SourceView& image, const RestoreTarget& target);

// Opens the target for writing, or makes the new file. Error{refused} if its size or its partition table is no longer what
// find_target() saw before the target could be locked.
Result<std::shared_ptr<Drive>> open_target(const RestoreTarget& target, bool exclusive, const CacheUse& cache);

}  // namespace tintype::cli
