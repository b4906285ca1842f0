// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <memory>

#include "drive/drive.h"
#include "fs/cluster_runs.h"
#include "fs/fat/boot_sector.h"

namespace tintype::fat {

// An entry of the table, its reserved bits removed.
class Entry {
 public:
  Entry(std::uint32_t value, std::uint32_t bits) : value_(value), ones_(bits == 12 ? 0xFFF : bits == 16 ? 0xFFFF : 0x0FFFFFFF) {}
  std::uint32_t value() const { return value_ & ones_; }
  bool free() const { return value() == 0; }
  bool bad() const { return value() == ones_ - 8; }
  bool end_of_chain() const { return value() >= ones_ - 7; }

 private:
  std::uint32_t value_;
  std::uint32_t ones_;
};

// The entry of a cluster (numbered from 2) in bytes that begin with entry 0.
std::uint32_t entry_in(ByteSpan table, std::uint32_t index, std::uint32_t bits);

// The file allocation table, read through windows, so that memory does not grow with it. The geometry has been checked
// against the partition: every copy lies inside and holds every cluster.
class Table {
 public:
  Table(std::shared_ptr<Drive> partition, const Geometry& geometry) : partition_(std::move(partition)), g_(geometry) {}

  // One entry of the active copy; `index` below cluster_count + 2.
  Result<Entry> entry(std::uint32_t index);

  struct Window {
    std::uint32_t first = 0;  // number of the window's first entry
    std::uint32_t count = 0;
    ByteSpan active;   // the copy in use; valid until the next call
    ByteSpan any;      // all copies or-ed: an entry is not zero if it is not zero in one of them
    bool copies_differ = false;
  };
  // The window that holds the entry `index`, of all copies.
  Result<Window> window(std::uint32_t index);

 private:
  static constexpr std::uint32_t kWindowBytes = 192 * 1024;  // divisible by 3: no 12-bit entry crosses a border
  std::uint32_t entries_per_window() const { return kWindowBytes * 8 / g_.entry_bits(); }
  Result<void> read_copy(std::uint32_t copy, std::uint64_t at, Bytes& out);

  std::shared_ptr<Drive> partition_;
  Geometry g_;
  Bytes active_, any_, other_;
  std::optional<std::uint32_t> held_;  // number of the window that active_ holds
};

struct Census {
  std::uint64_t used_clusters = 0;  // by the active copy
  bool copies_differ = false;       // about a cluster; differences in the two reserved entries do not count
  std::uint32_t reserved_entry = 0;  // entry 1, which holds the marks of a clean shutdown
};
Result<Census> take_census(Table& table, const Geometry& geometry);

// What any copy calls allocated; bad clusters count as allocated.
std::unique_ptr<ClusterRuns> allocated_runs(std::shared_ptr<Drive> partition, const Geometry& geometry);

}  // namespace tintype::fat
