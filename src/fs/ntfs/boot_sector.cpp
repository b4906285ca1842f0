// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/ntfs/boot_sector.h"

#include <fmt/format.h>

#include <bit>

namespace tintype::ntfs {
namespace {

constexpr std::uint32_t kMaxClusterBytes = 2 * 1024 * 1024;
constexpr std::uint32_t kMaxBlockBytes = 64 * 1024;

// Up to 128 the byte is a count of sectors; above, minus its signed value is the power of two.
std::optional<std::uint32_t> sectors_per_cluster(std::uint8_t code) {
  if (code == 0) return std::nullopt;
  if (code <= 0x80) return std::has_single_bit(code) ? std::optional<std::uint32_t>(code) : std::nullopt;
  const unsigned shift = 256U - code;
  if (shift > 20) return std::nullopt;
  return 1U << shift;
}

// Positive: a count of clusters; negative: minus the power of two in bytes.
std::optional<std::uint32_t> block_bytes(std::uint8_t code, std::uint32_t cluster_bytes) {
  std::uint64_t bytes = 0;
  if (code < 0x80)
    bytes = std::uint64_t{code} * cluster_bytes;
  else if (256U - code < 32)
    bytes = std::uint64_t{1} << (256U - code);
  if (bytes < 512 || bytes > kMaxBlockBytes || !std::has_single_bit(bytes)) return std::nullopt;
  return static_cast<std::uint32_t>(bytes);
}

}  // namespace

std::string BootSector::serial_text() const { return fmt::format("{:016X}", serial); }

bool names_ntfs(ByteSpan sector) { return sector.size() >= 11 && as_text(sector.subspan(3, 8)) == "NTFS    "; }

std::optional<BootSector> parse_boot_sector(ByteSpan sector) {
  if (sector.size() < kBootSectorBytes || !names_ntfs(sector)) return std::nullopt;
  BootSector boot;
  boot.sector_bytes = le16(sector, 0x0b);
  if (boot.sector_bytes < 256 || boot.sector_bytes > 4096 || !std::has_single_bit(boot.sector_bytes))
    return std::nullopt;
  const auto per_cluster = sectors_per_cluster(u8(sector, 0x0d));
  if (!per_cluster) return std::nullopt;
  const std::uint64_t cluster_bytes = std::uint64_t{*per_cluster} * boot.sector_bytes;
  if (cluster_bytes > kMaxClusterBytes) return std::nullopt;
  boot.cluster_bytes = static_cast<std::uint32_t>(cluster_bytes);
  // Fields that only FAT uses: reserved sectors, FAT count, root entries, 16-bit sector count, sectors per FAT.
  if (le16(sector, 0x0e) != 0 || u8(sector, 0x10) != 0 || le16(sector, 0x11) != 0 || le16(sector, 0x13) != 0 ||
      le16(sector, 0x16) != 0)
    return std::nullopt;
  const auto record_bytes = block_bytes(u8(sector, 0x40), boot.cluster_bytes);
  const auto index_bytes = block_bytes(u8(sector, 0x44), boot.cluster_bytes);
  if (!record_bytes || !index_bytes) return std::nullopt;
  boot.record_bytes = *record_bytes;
  boot.index_bytes = *index_bytes;
  boot.total_sectors = le64(sector, 0x28);
  if (boot.total_sectors > (std::uint64_t{1} << 63) / boot.sector_bytes) return std::nullopt;
  boot.total_clusters = boot.total_sectors / *per_cluster;
  boot.mft_cluster = le64(sector, 0x30);
  boot.mirror_cluster = le64(sector, 0x38);
  if (boot.mft_cluster >= boot.total_clusters || boot.mirror_cluster >= boot.total_clusters) return std::nullopt;
  boot.serial = le64(sector, 0x48);
  return boot;
}

std::optional<BootSector> read_backup_boot_sector(Drive& partition) {
  Bytes sector(kBootSectorBytes);
  for (const std::uint64_t sector_bytes : {512U, 4096U}) {
    if (partition.size_bytes() < 2 * sector_bytes) continue;
    const std::uint64_t at = round_down(partition.size_bytes(), sector_bytes) - sector_bytes;
    if (!partition.read(at, sector)) continue;
    const auto boot = parse_boot_sector(sector);
    if (boot && boot->total_sectors * boot->sector_bytes == at) return boot;
  }
  return std::nullopt;
}

}  // namespace tintype::ntfs
