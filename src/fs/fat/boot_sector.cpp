// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/fat/boot_sector.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace tintype::fat {
namespace {

// BIOS parameter block, offsets in the sector.
constexpr std::size_t kOemName = 3, kBytesPerSector = 11, kSectorsPerCluster = 13, kReservedSectors = 14, kFats = 16,
                      kRootEntries = 17, kTotal16 = 19, kMedia = 21, kFatSectors16 = 22, kTotal32 = 32;
// FAT32 goes on with these; FAT12/16 with the tail block at 36, FAT32 with the same at 64.
constexpr std::size_t kFatSectors32 = 36, kExtFlags = 40, kRootCluster = 44;
constexpr std::size_t kTail16 = 36, kTail32 = 64;
constexpr std::size_t kTailNtFlags = 1, kTailSignature = 2, kTailSerial = 3, kTailTypeName = 18;
constexpr std::size_t kBootSignature = 510;
constexpr std::uint32_t kMaxFat12Clusters = 4084, kMaxFat16Clusters = 65524, kMaxFat32Clusters = 0x0FFFFFF5;

bool has_text(ByteSpan sector, std::size_t at, std::string_view text) {
  return as_text(sector.subspan(at, text.size())) == text;
}

// JFS and HPFS volumes of OS/2 begin with a parameter block like FAT16's; BitLocker with one like FAT32's.
bool belongs_to_another(ByteSpan sector) {
  return has_text(sector, kTail16 + kTailTypeName, "JFS     ") || has_text(sector, kTail16 + kTailTypeName, "HPFS    ") ||
         has_text(sector, kOemName, "-FVE-FS-") || has_text(sector, kOemName, "NTFS    ") ||
         has_text(sector, kOemName, "EXFAT   ");
}

bool is_signed(ByteSpan sector) {
  const std::uint8_t jump = u8(sector, 0);
  if ((jump == 0xEB || jump == 0xE9) && le16(sector, kBootSignature) == 0xAA55) return true;
  return has_text(sector, kTail16 + kTailTypeName, "FAT") || has_text(sector, kTail16 + kTailTypeName, "MSDOS") ||
         has_text(sector, kTail32 + kTailTypeName, "FAT32   ") || has_text(sector, kTail32 + kTailTypeName, "MSWIN");
}

void read_tail_block(Geometry& g, ByteSpan sector) {
  const std::size_t tail = g.type == FsType::fat32 ? kTail32 : kTail16;
  const std::uint8_t signature = u8(sector, tail + kTailSignature);
  if (signature != 0x28 && signature != 0x29) return;
  g.marked_dirty = (u8(sector, tail + kTailNtFlags) & 1) != 0;
  const std::uint32_t serial = le32(sector, tail + kTailSerial);
  if (serial != 0) g.serial = fmt::format("{:04X}-{:04X}", serial >> 16, serial & 0xFFFF);
  if (signature != 0x29) return;  // 0x28 ends with the serial
  if (g.type == FsType::fat12) g.type_contradicted = has_text(sector, tail + kTailTypeName, "FAT16   ");
  if (g.type == FsType::fat16) g.type_contradicted = has_text(sector, tail + kTailTypeName, "FAT12   ");
}

}  // namespace

std::optional<Geometry> parse_boot_sector(ByteSpan sector) {
  if (sector.size() < 512 || belongs_to_another(sector)) return std::nullopt;
  Geometry g;
  g.sector_bytes = le16(sector, kBytesPerSector);
  const std::uint32_t sectors_per_cluster = u8(sector, kSectorsPerCluster);
  const std::uint64_t reserved = le16(sector, kReservedSectors);
  g.fat_copies = u8(sector, kFats);
  g.media = u8(sector, kMedia);
  if (!std::has_single_bit(g.sector_bytes) || g.sector_bytes < 512 || g.sector_bytes > 4096) return std::nullopt;
  if (!std::has_single_bit(sectors_per_cluster)) return std::nullopt;
  if (reserved == 0 || g.fat_copies == 0 || (g.media < 0xF8 && g.media != 0xF0)) return std::nullopt;

  const bool fat32 = le16(sector, kFatSectors16) == 0;
  const std::uint64_t fat_sectors = fat32 ? le32(sector, kFatSectors32) : le16(sector, kFatSectors16);
  const std::uint64_t root_entries = le16(sector, kRootEntries);
  const std::uint64_t total_sectors = le16(sector, kTotal16) != 0 ? le16(sector, kTotal16) : le32(sector, kTotal32);
  if (fat_sectors == 0 || total_sectors == 0) return std::nullopt;
  if (fat32 ? root_entries != 0 : root_entries == 0) return std::nullopt;

  // No overflow: every factor is below 2^32, 2^8 or 2^12.
  g.cluster_bytes = g.sector_bytes * sectors_per_cluster;
  g.fat_offset = reserved * g.sector_bytes;
  g.fat_bytes = fat_sectors * g.sector_bytes;
  g.root_offset = g.fat_offset + g.fat_copies * g.fat_bytes;
  g.root_bytes = root_entries * 32;
  g.data_offset = g.root_offset + round_up(g.root_bytes, g.sector_bytes);
  g.total_bytes = total_sectors * g.sector_bytes;
  if (g.data_offset >= g.total_bytes) return std::nullopt;
  const std::uint64_t clusters = (g.total_bytes - g.data_offset) / g.cluster_bytes;
  if (clusters == 0 || clusters > (fat32 ? kMaxFat32Clusters : kMaxFat16Clusters)) return std::nullopt;
  g.cluster_count = static_cast<std::uint32_t>(clusters);
  g.type = fat32 ? FsType::fat32 : clusters <= kMaxFat12Clusters ? FsType::fat12 : FsType::fat16;

  if (fat32) {
    g.root_cluster = le32(sector, kRootCluster) & 0x0FFFFFFF;
    const std::uint16_t flags = le16(sector, kExtFlags);
    g.fats_mirrored = (flags & 0x80) == 0;
    if (!g.fats_mirrored && (flags & 0x0FU) < g.fat_copies) g.active_fat = flags & 0x0FU;
  }
  g.has_signature = is_signed(sector);
  read_tail_block(g, sector);
  return g;
}

bool fat_confirms(const Geometry& geometry, ByteSpan first_fat_bytes) {
  if (first_fat_bytes.size() < 4 || u8(first_fat_bytes, 0) != geometry.media) return false;
  const std::uint32_t ones = geometry.type == FsType::fat12 ? 0x0F : geometry.type == FsType::fat16 ? 0xFF : 0x0FFFFF;
  return ((le32(first_fat_bytes, 0) >> 8) & ones) == ones;
}

std::optional<std::uint64_t> bitlocker_to_go_metadata(ByteSpan sector) {
  // GUID 4967D63B-2E29-4AD8-8399-F6A339E3D001 at 424, then the offset of the first of three metadata blocks.
  static constexpr std::array<std::uint8_t, 16> kGuid = {0x3B, 0xD6, 0x67, 0x49, 0x29, 0x2E, 0xD8, 0x4A,
                                                         0x83, 0x99, 0xF6, 0xA3, 0x39, 0xE3, 0xD0, 0x01};
  if (sector.size() < 512) return std::nullopt;
  for (std::size_t i = 0; i < kGuid.size(); ++i)
    if (u8(sector, 424 + i) != kGuid[i]) return std::nullopt;
  return le64(sector, 440);
}

}  // namespace tintype::fat
