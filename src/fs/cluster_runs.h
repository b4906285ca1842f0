// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/extent.h"
#include "base/result.h"
#include "fs/filesystem.h"

namespace tintype {

// Allocated clusters, numbered from 0 (the first of the data area).
struct ClusterRun {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

// Runs in rising order, read window by window; touching neighbours are allowed.
class ClusterRuns {
 public:
  virtual ~ClusterRuns() = default;
  virtual Result<std::optional<ClusterRun>> next() = 0;
};

// Where clusters lie in a partition, and what is used beside them.
struct ClusterArea {
  std::uint64_t data_offset_bytes = 0;  // of cluster 0; everything before it is used
  std::uint64_t cluster_bytes = 0;
  std::uint64_t cluster_count = 0;
  std::uint64_t file_system_bytes = 0;  // at most the partition; what lies behind it is used
  std::uint64_t partition_bytes = 0;

  Extent extent_of(ClusterRun run) const {
    return {data_offset_bytes + run.first * cluster_bytes, run.count * cluster_bytes};
  }
};

// The area's used map: all before the data area, the runs, all behind the file system. The few bytes between the last whole
// cluster and the end of the file system can hold nothing and are unused.
std::unique_ptr<ExtentStream> used_map_of(std::unique_ptr<ClusterRuns> runs, const ClusterArea& area);

// Appends a sentence to a warning that may already have others.
void add_warning(FsInfo& info, const std::string& text);
// "Everything": used_map_known, last_used_byte and the warning of a file system whose map cannot be trusted.
void save_everything(FsInfo& info, const Drive& partition, const std::string& why);

}  // namespace tintype
