// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <vector>

#include "base/extent.h"
#include "fs/fat/boot_sector.h"
#include "fs/fat/table.h"

namespace tintype::fat {

// The table of a FAT file system, to be changed. Sources: Microsoft, "FAT: General Overview of On-Disk Format" 1.03; for the mark in the boot sector
// Linux fs/fat/inode.c (FAT_STATE_DIRTY). A window of it is in memory; what is changed in it goes to all copies at flush() and
// whenever another window is needed. The geometry has been checked against the partition.
class WritableTable {
 public:
  WritableTable(std::shared_ptr<Drive> partition, const Geometry& geometry, std::uint64_t free_clusters)
      : partition_(std::move(partition)), g_(geometry), free_(free_clusters) {}

  Result<Entry> entry(std::uint32_t cluster);
  Result<void> set(std::uint32_t cluster, std::uint32_t value);
  // At most `count` free clusters, fewer if there are no more, as a chain with an end behind `after` (0: nothing).
  Result<std::vector<std::uint32_t>> allocate(std::uint32_t after, std::uint64_t count);
  // The chain from `first` on. Error{corrupt} where it leads nowhere, after what could be freed was.
  Result<void> free_chain(std::uint32_t first);
  // Its clusters in order, at most `most`. Error{corrupt}, also if there are more.
  Result<std::vector<std::uint32_t>> chain(std::uint32_t first, std::uint64_t most);
  Result<void> flush();
  // In the boot sector, where fsck and Windows look. Clean: FAT32's count of free clusters as well.
  Result<void> mark(bool dirty);

  std::uint64_t free_clusters() const { return free_; }
  std::uint64_t offset_of(std::uint32_t cluster) const { return g_.data_offset + std::uint64_t{cluster - 2} * g_.cluster_bytes; }
  const Geometry& geometry() const { return g_; }
  std::uint32_t end_mark() const { return g_.type == FsType::fat12 ? 0xFFF : g_.type == FsType::fat16 ? 0xFFFF : 0x0FFFFFFF; }
  bool is_data(std::uint32_t cluster) const { return cluster >= 2 && cluster - 2 < g_.cluster_count; }

 private:
  Result<void> hold(std::uint32_t cluster);
  Result<void> write_summary();

  std::shared_ptr<Drive> partition_;
  Geometry g_;
  std::uint64_t free_;
  std::uint32_t next_ = 2;  // where to look for free clusters
  Bytes window_;
  std::uint64_t window_at_ = 0;  // in the table
  std::uint64_t dirty_from_ = 0, dirty_to_ = 0;  // in the window; equal: nothing
};

}  // namespace tintype::fat
