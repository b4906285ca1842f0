// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <vector>

#include "base/extent.h"
#include "drive/in_use.h"
#include "naming/resolve.h"
#include "plan/restore_plan.h"

namespace tintype::cli {

// What keeps a backup from being of one point in time, and a restore from pulling the ground from under a running
// system (FEATURES R0).

// The bytes that the chosen partitions, or the whole drive, take.
ExtentSet chosen_bytes(const ResolvedDrive& source);

// How the source is used now: "offline", "read-only" or, if `allow_in_use`, "in-use". Error{busy} if it is in use.
// Error{refused} if the image at `image_path` would be written into what is read.
struct SourceUse {
  std::string consistency = "offline";
  bool exclusive = false;  // nobody uses any of it: it may be claimed
  bool shared_with_image = false;  // the image goes into another partition of it: whoever writes that has the lock on the drive
};
Result<SourceUse> check_source(const ResolvedDrive& source, const std::string& image_path, bool allow_in_use);
// The same for a copy to `target_path`, which may be another partition of the very drive.
Result<SourceUse> check_copy_source(const ResolvedDrive& source, const std::string& target_path, bool allow_in_use);

// How source and target of a copy lie to each other. What cannot be found out counts as strangers.
struct Kinship {
  bool same_object = false;  // parts of one device or file
  bool same_drive = false;   // the very same part
};
Kinship kinship(const std::string& source_path, const std::string& target_path);
// For drives that are parts of one object: Error{refused} if a byte that is read is one that is written.
Result<void> check_overlap(const SourceView& source, const std::string& target_path, const RestorePlan& plan);

// Error{busy} if what the plan writes is in use, Error{refused} if the target is one of the image's own files.
struct TargetUse {
  bool exclusive = false;
};
Result<TargetUse> check_target(const std::string& target_path, const RestorePlan& plan, const std::vector<std::string>& image_files);

// What the target holds now, for the question that comes before it is destroyed.
TargetWords words_for_target(const ResolvedDrive& target);

}  // namespace tintype::cli
