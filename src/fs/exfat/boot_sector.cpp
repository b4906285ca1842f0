// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/exfat/boot_sector.h"

#include <fmt/format.h>

namespace tintype::exfat {
namespace {

constexpr std::size_t kName = 3, kMustBeZero = 11, kMustBeZeroEnd = 64, kVolumeLength = 72, kFatOffset = 80, kFatLength = 84,
                      kHeapOffset = 88, kClusterCount = 92, kRootCluster = 96, kSerial = 100, kVolumeFlags = 106,
                      kSectorShift = 108, kClusterShift = 109, kFats = 110, kBootSignature = 510;
constexpr std::uint16_t kActiveFat = 1, kVolumeDirty = 2, kMediaFailure = 4;
constexpr std::uint64_t kBootRegionSectors = 24;  // main and backup
constexpr std::uint32_t kMaxClusters = 0xFFFFFFF5;

std::optional<Geometry> parse_numbers(ByteSpan sector) {
  const std::uint32_t sector_shift = u8(sector, kSectorShift), cluster_shift = u8(sector, kClusterShift);
  if (sector_shift < 9 || sector_shift > 12 || cluster_shift > 25 - sector_shift) return std::nullopt;
  Geometry g;
  g.sector_bytes = 1U << sector_shift;
  g.cluster_bytes = g.sector_bytes << cluster_shift;
  g.cluster_count = le32(sector, kClusterCount);
  g.fat_copies = u8(sector, kFats);
  const std::uint16_t flags = le16(sector, kVolumeFlags);
  if (g.fat_copies == 2 && (flags & kActiveFat) != 0) g.active_fat = 1;
  g.dirty = (flags & kVolumeDirty) != 0;
  g.media_failure = (flags & kMediaFailure) != 0;
  const std::uint32_t serial = le32(sector, kSerial);
  g.serial = fmt::format("{:04X}-{:04X}", serial >> 16, serial & 0xFFFF);
  g.root_cluster = le32(sector, kRootCluster);

  const std::uint64_t fat_start = le32(sector, kFatOffset), fat_sectors = le32(sector, kFatLength);
  g.fat_bytes = fat_sectors * g.sector_bytes;
  g.fat_offset = fat_start * g.sector_bytes + g.active_fat * g.fat_bytes;
  g.heap_offset = std::uint64_t{le32(sector, kHeapOffset)} * g.sector_bytes;
  const auto total = checked_mul(le64(sector, kVolumeLength), g.sector_bytes);
  if (!total || (g.fat_copies != 1 && g.fat_copies != 2) || fat_start < kBootRegionSectors) return std::nullopt;
  g.total_bytes = *total;
  if (g.cluster_count == 0 || g.cluster_count > kMaxClusters || !g.holds(g.root_cluster)) return std::nullopt;
  if ((fat_start + g.fat_copies * fat_sectors) * g.sector_bytes > g.heap_offset) return std::nullopt;
  if ((std::uint64_t{g.cluster_count} + 2) * 4 > g.fat_bytes) return std::nullopt;
  const std::uint64_t heap_bytes = std::uint64_t{g.cluster_count} * g.cluster_bytes;  // below 2^57
  if (!fits(g.heap_offset, heap_bytes, g.total_bytes)) return std::nullopt;
  return g;
}

}  // namespace

BootSector parse_boot_sector(ByteSpan sector) {
  BootSector boot;
  if (sector.size() < 512) return boot;
  boot.is_exfat = as_text(sector.subspan(kName, 8)) == "EXFAT   " && le16(sector, kBootSignature) == 0xAA55 &&
                  all_zero(sector.subspan(kMustBeZero, kMustBeZeroEnd - kMustBeZero));
  if (boot.is_exfat) boot.geometry = parse_numbers(sector);
  return boot;
}

Result<bool> boot_checksum_fits(Drive& partition, const Geometry& g) {
  Bytes region(std::size_t{12} * g.sector_bytes);
  TRY(partition.read(0, region));
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < std::size_t{11} * g.sector_bytes; ++i) {
    // The volume flags and the percentage in use change without the checksum.
    if (i == 106 || i == 107 || i == 112) continue;
    sum = (sum << 31 | sum >> 1) + u8(region, i);
  }
  for (std::size_t i = std::size_t{11} * g.sector_bytes; i < region.size(); i += 4)
    if (le32(region, i) != sum) return false;
  return true;
}

}  // namespace tintype::exfat
