// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <string>

#include "base/page_cache.h"
#include "naming/resolve.h"
#include "options/command.h"
#include "plan/restore_plan.h"

namespace tintype::cli {

// Where a restore goes: a drive there is, or a raw file that is yet to be made.
struct RestoreTarget {
  std::string path;
  bool is_new = false;
  DriveInfo info;
  Layout layout;
  std::uint32_t partition = 0;
  bool partition_named = false;
  TargetWords words;
  std::string text;  // for questions: "drive 1: /dev/sdb, Samsung SSD 870 …", "new.raw, 20 GiB"
};

// Finds what the names (--drive, --target-drive) mean; without any, the drive whose signature `source` has. A path that does not exist
// is a new file of the source's size. Writes nothing. Of `source` only the drive and its layout are looked at.
Result<RestoreTarget> find_target(std::vector<std::string> names, const SourceView& source);

// What of the image a restore puts where, from --source-partition, --first-fit and the target's name.
Result<RestoreOptions> placement_of(const options::ParsedCommand& command, const SourceView& image, const RestoreTarget& target);

// Opens the target for writing, or makes the new file. Error{refused} if its size or its partition table is no longer what
// find_target() saw before the target could be locked.
Result<std::shared_ptr<Drive>> open_target(const RestoreTarget& target, bool exclusive, const CacheUse& cache);

}  // namespace tintype::cli
