// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "drive/drive.h"

namespace tintype::exfat {

// The main boot sector in bytes. Source: Microsoft, "exFAT file system specification" 1.00, section 3.1. Numbers are
// inside the specification's limits and consistent with each other, not yet with the size of the partition.
struct Geometry {
  std::uint32_t sector_bytes = 512;
  std::uint32_t cluster_bytes = 0;
  std::uint32_t cluster_count = 0;
  std::uint64_t fat_offset = 0;  // of the active copy
  std::uint64_t fat_bytes = 0;   // of one copy
  std::uint32_t fat_copies = 1;
  std::uint32_t active_fat = 0;
  std::uint64_t heap_offset = 0;  // of cluster 2, the first
  std::uint64_t total_bytes = 0;
  std::uint32_t root_cluster = 0;
  std::string serial;
  bool dirty = false;          // VolumeDirty
  bool media_failure = false;  // MediaFailure: bad clusters may not all be recorded

  bool holds(std::uint32_t cluster) const { return cluster >= 2 && cluster - 2 < cluster_count; }
  std::uint64_t offset_of(std::uint32_t cluster) const { return heap_offset + std::uint64_t{cluster - 2} * cluster_bytes; }
};

// What the first 512 bytes of a partition are.
struct BootSector {
  bool is_exfat = false;             // the name, the jump and the zeros in place of FAT's parameter block
  std::optional<Geometry> geometry;  // empty if its numbers make no sense
};
BootSector parse_boot_sector(ByteSpan sector);

// Whether the checksum in sector 11 is that of sectors 0 to 10.
Result<bool> boot_checksum_fits(Drive& partition, const Geometry& geometry);

}  // namespace tintype::exfat
