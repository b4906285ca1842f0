// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "fs/cluster_runs.h"

namespace tintype::fat {

// What the boot sector says, in bytes. Sources: Microsoft, "FAT: General Overview of On-Disk Format" 1.03 (BPB fields, type by
// cluster count); Linux fs/fat/inode.c for what is accepted in practice. Numbers are consistent with each other
// (no overflow, areas in order) but not yet with the size of the partition or of the FAT.
struct Geometry {
  FsType type = FsType::fat12;
  std::uint32_t sector_bytes = 512;
  std::uint32_t cluster_bytes = 0;
  std::uint32_t cluster_count = 0;
  std::uint64_t fat_offset = 0;  // of the first copy
  std::uint64_t fat_bytes = 0;   // of one copy
  std::uint32_t fat_copies = 1;
  std::uint32_t active_fat = 0;  // the copy in use; another than 0 only if FAT32 says that the copies are not mirrored
  bool fats_mirrored = true;
  std::uint64_t root_offset = 0;  // FAT12/16
  std::uint64_t root_bytes = 0;   // FAT12/16; 0 for FAT32
  std::uint32_t root_cluster = 0;  // FAT32, numbered from 2
  std::uint64_t data_offset = 0;
  std::uint64_t total_bytes = 0;
  std::uint8_t media = 0;
  std::string serial;          // "A1B2-C3D4" or empty
  bool marked_dirty = false;   // the boot sector's own mark, Windows NT and Linux
  bool has_signature = false;  // a jump and 0x55AA, or one of the names; without it (Atari) the FAT must confirm
  bool type_contradicted = false;  // the name in the boot sector is that of another FAT width

  std::uint32_t entry_bits() const { return type == FsType::fat12 ? 12 : type == FsType::fat16 ? 16 : 32; }
  // Bytes of a FAT that the entries of all clusters and the two reserved ones take.
  std::uint64_t table_bytes() const { return ((std::uint64_t{cluster_count} + 2) * entry_bits() + 7) / 8; }
  std::uint64_t offset_of_copy(std::uint32_t copy) const { return fat_offset + copy * fat_bytes; }
};

// Empty if the first 512 bytes of a partition are not those of a FAT file system.
std::optional<Geometry> parse_boot_sector(ByteSpan sector);

// Whether the first bytes of the FAT fit the boot sector: entry 0 holds the media byte and ones.
bool fat_confirms(const Geometry& geometry, ByteSpan first_fat_bytes);

// The offset of the first metadata block of "BitLocker To Go", whose discovery volume looks like FAT32; empty if it is none.
std::optional<std::uint64_t> bitlocker_to_go_metadata(ByteSpan sector);

}  // namespace tintype::fat
