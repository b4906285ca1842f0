// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "layout/layout.h"

namespace tintype {

// The classic partition table in the last 66 bytes of sector 0 and of every EMBR. Private to the room.
// Source: UEFI specification 2.10, 5.2.1, table "MBR Partition Record"; the chain of EMBRs as util-linux describes it.
inline constexpr std::size_t kMbrSignatureAt = 440;
inline constexpr std::size_t kMbrEntriesAt = 446;
inline constexpr std::size_t kMbrEntryBytes = 16;
inline constexpr std::size_t kMbrMagicAt = 510;
inline constexpr std::uint16_t kMbrMagic = 0xAA55;
inline constexpr std::uint8_t kProtectiveType = 0xEE;
inline constexpr std::uint32_t kMaxVolumes = 255;  // ids 0xP01…0xPFF

struct MbrEntry {
  std::uint8_t flag = 0;
  std::uint8_t type = 0;
  std::uint32_t start = 0;  // sector 0: from the drive's start; EMBR: see the chain walk
  std::uint32_t count = 0;

  bool used() const { return count != 0; }
  bool extended() const { return type == 0x05 || type == 0x0F || type == 0x85; }
  bool flag_valid() const { return flag == 0 || flag == 0x80; }
  std::uint64_t end() const { return std::uint64_t{start} + count; }
};
using MbrEntries = std::array<MbrEntry, 4>;

bool has_mbr_magic(ByteSpan sector);
// The caller has checked that the span holds a whole sector (512 bytes or more).
MbrEntries parse_mbr_entries(ByteSpan sector);

// What a sector 0 that ends in 55AA is: a table, or a file system's boot sector (or other data) with that ending.
bool is_partition_table(ByteSpan sector, std::uint64_t drive_sectors);
// A boot sector of FAT, NTFS, exFAT, HPFS, BitLocker … by its parameter block or name.
bool is_file_system_boot_sector(ByteSpan sector);

class TableReader;
// Lists primaries and walks the chains of extended partitions.
void read_mbr_partitions(TableReader& reader, const MbrEntries& entries);

}  // namespace tintype
