// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "drive/drive.h"

namespace tintype::ntfs {

// The numbers of an NTFS boot sector, checked against each other. Source: the layout in ntfs-3g's layout.h
// (NTFS_BOOT_SECTOR) and Microsoft's "NTFS boot sector" table; sizes above 64 KiB as Windows 10 1709 encodes them.
struct BootSector {
  std::uint32_t sector_bytes = 0;   // 256 … 4096
  std::uint32_t cluster_bytes = 0;  // 256 B … 2 MiB
  std::uint32_t record_bytes = 0;   // one record of $MFT
  std::uint32_t index_bytes = 0;    // one block of a directory index
  std::uint64_t total_sectors = 0;  // without the backup boot sector
  std::uint64_t total_clusters = 0;
  std::uint64_t mft_cluster = 0;
  std::uint64_t mirror_cluster = 0;
  std::uint64_t serial = 0;

  // End of the clusters, at most end of the sectors.
  std::uint64_t clusters_end() const { return total_clusters * cluster_bytes; }
  // 16 upper-case hexadecimal digits, as blkid prints it.
  std::string serial_text() const;
};

inline constexpr std::size_t kBootSectorBytes = 512;  // what parse_boot_sector looks at, whatever the sector size
inline constexpr std::uint64_t kBootAreaBytes = 8192;  // $Boot: the boot sector and the loader behind it

// True if the sector bears the NTFS name, sane or not.
bool names_ntfs(ByteSpan sector);
// Empty if it is not a sane NTFS boot sector; `sector` holds at least kBootSectorBytes.
std::optional<BootSector> parse_boot_sector(ByteSpan sector);

// The copy of the boot sector in the last sector of the partition; empty if there is no sane one. It survives when the partition is
// formatted anew with another file system, so it proves nothing by itself.
std::optional<BootSector> read_backup_boot_sector(Drive& partition);

}  // namespace tintype::ntfs
