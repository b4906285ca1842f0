// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "drive/drive.h"
#include "image/reader.h"
#include "job/context.h"
#include "job/damage_owners.h"
#include "layout/layout.h"
#include "store/place.h"

namespace tintype {

// The image that a changes-only backup builds on.
struct BackupBase {
  std::shared_ptr<ImageReader> image;  // opened with its password
  std::string name, folder;            // file name of its first part, absolute path of its folder: remembered in the new image
};

struct BackupRequest {
  std::shared_ptr<Drive> drive;           // opened, locked or known to be in use
  std::string source_path;                // recorded as the drive's, to find it again from anywhere; empty: as the drive calls itself
  Layout layout;                          // as read from it
  std::vector<std::uint32_t> partitions;  // ids; empty: the whole drive
  std::shared_ptr<Place> place;
  std::string image;                      // file name with its extension: "pc.tti"
  std::uint64_t max_part_bytes = 0;       // 0: the largest the place takes
  std::optional<std::string> password;
  bool encrypt = false;
  int compression = 1;                    // 0, 1, 2, 7, 10
  std::string description;                // at most 127 characters
  std::uint32_t parity_percent = 0;       // share of the recovery file, 1 to 100; 0: none
  bool raw = false;                       // every sector; of a whole drive without looking at partitions
  bool skip_page_files = true;
  bool skip_hibernation_files = true;
  bool allow_errors = false;              // unreadable sectors are recorded instead of asked about
  unsigned retries = 1;                   // more attempts at each sector that cannot be read
  std::optional<BackupBase> base;         // save only what changed since
  bool multi_pass = false;                // with a base: first find what changed, then save it
  bool resume = false;                    // go on with what a run that was cut off left, if there is anything
  bool keep_failed = false;               // leave the unfinished files of a failed run
  std::string consistency = "offline";    // offline, read-only, in-use
  std::string program, host;              // recorded in the image
};

struct BackupReport {
  Outcome outcome = Outcome::complete;
  std::uint64_t used_bytes = 0;
  std::uint64_t changed_bytes = 0;  // of the used ones, in chunks that differ from the base; without one: all
  std::uint64_t continued_bytes = 0;  // of the image: data that a run which was cut off had saved already
  std::uint64_t image_bytes = 0;
  std::string kind;
  std::uint64_t parity_bytes = 0;  // of the recovery file, not counted in image_bytes
  std::uint64_t unreadable_bytes = 0;
  std::vector<PartitionDamage> unreadable;  // the first ranges of each partition
  std::string set_id;  // hex
};

// Saves the drive or partitions, or what changed of them, into a new image, which gets its name only when complete. On failure or cancellation the
// unfinished files are removed, unless the place failed or ran full, and an older image of the name is untouched.
Result<BackupReport> run_backup(const BackupRequest& request, JobContext& context);

}  // namespace tintype
