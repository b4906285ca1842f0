// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/environment.h"
#include "base/extent.h"
#include "base/result.h"
#include "drive/drive.h"
#include "layout/layout.h"
#include "plan/source_view.h"

namespace tintype {

// What a restore, or a copy, was asked to do. A plain value.
struct RestoreOptions {
  // Empty: the whole drive as it was. Else this partition out of the source (id as in its layout; 0: all of a drive without a table).
  std::optional<std::uint32_t> partition;
  enum class Where {
    old_place,   // the same place on the target; with `partition` empty: the only choice
    partition,   // into target_partition, whose entry gets the source's type
    free_space,  // a new partition in the first free space that is large enough
  };
  Where where = Where::old_place;
  std::uint32_t target_partition = 0;
  // First track: with a whole drive always; with one partition only if asked for. Sectors; 0: all that was saved.
  std::optional<std::uint64_t> first_track_sectors;
};

// One area of the source and where it goes.
struct CopyStep {
  std::size_t area = 0;
  std::uint64_t target_byte = 0;
  std::uint64_t skip_bytes = 0;   // of the area's beginning that the main pass leaves out
  std::uint64_t limit_bytes = 0;  // bytes of the area, from its start, that are written at most
  bool head_last = false;         // the skipped beginning is written when everything else is there
};

// Sectors that are written as they are.
struct TableWrite {
  std::uint64_t target_byte = 0;
  Bytes bytes;
  std::string what;  // "the backup GPT", "EMBR of volume 0x301", "the MBR"
};

// A field of a boot sector that says how many sectors lie before the partition (BPB, offset 0x1C), to be corrected
// because the partition moved. Applied after the data; also in the backup boot sector where the file system has one.
struct HiddenSectorsFix {
  std::uint64_t partition_byte = 0;  // on the target
  std::uint64_t partition_bytes = 0;
  FsType type = FsType::unknown;
  std::uint32_t value = 0;
};

struct RestorePlan {
  std::vector<Extent> wipe_first;       // zeroed before any data: old tables, so that nothing half-done looks whole
  std::vector<CopyStep> copies;
  std::vector<HiddenSectorsFix> fixes;
  std::vector<TableWrite> write_last;   // in this order; sector 0 is the last
  ExtentSet touched;                    // everything that may be written
  std::vector<std::string> lost;        // what is destroyed, a line each; empty if nothing is
  std::vector<std::string> summary;     // what will be done, a line each, for --dry-run
  std::uint64_t total_bytes = 0;        // used bytes that will be written
};

// Words for what the target holds now, by partition id (0: the drive as a whole): "NTFS \"Windows\", 20 GiB, 12 GiB used".
using TargetWords = std::map<std::uint32_t, std::string>;

// Pure: reads nothing, writes nothing. `target_layout` is what the target has now; `random` gives the ids of new partitions.
// Errors: no_space with both numbers if the target is too small; not_found naming the partitions there are; usage;
// unsupported where sector sizes differ.
Result<RestorePlan> plan_restore(const SourceView& source, const DriveInfo& target, const Layout& target_layout,
                                 const RestoreOptions& options, const TargetWords& words, Random& random);
Result<RestorePlan> plan_restore(const Catalog& image, const DriveInfo& target, const Layout& target_layout,
                                 const RestoreOptions& options, const TargetWords& words, Random& random);

}  // namespace tintype
