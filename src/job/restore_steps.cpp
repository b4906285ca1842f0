// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/restore_steps.h"

#include <algorithm>

namespace tintype {
namespace {

constexpr std::uint64_t kPageFileHead = 4096;
constexpr std::uint64_t kHibernationFileHead = 8192;
// BPB of NTFS and FAT (Microsoft FAT specification, section 3): bytes per sector, reserved sectors, "hidden sectors" of 32 bits,
// and the sector of FAT32's backup boot sector; NTFS: its count of sectors, behind which the backup lies.
constexpr std::size_t kNameAt = 0x03, kSectorBytesAt = 0x0B, kReservedAt = 0x0E, kHiddenSectorsAt = 0x1C, kNtfsSectorsAt = 0x28,
                      kFat32BackupAt = 0x32, kMagicAt = 0x1FE;
constexpr std::uint64_t kHiddenSectorsBytes = 4;
constexpr std::size_t kBootSectorBytes = 512;

bool is_boot_sector(ByteSpan sector, FsType type) {
  if (type == FsType::ntfs && as_text(sector.subspan(kNameAt, 8)) != "NTFS    ") return false;
  return le16(sector, kMagicAt) == 0xAA55 && le16(sector, kSectorBytesAt) >= 512;
}

// Where the backup boot sector is said to be, in bytes of the partition.
std::optional<std::uint64_t> backup_place(ByteSpan boot, FsType type) {
  const std::uint64_t sector_bytes = le16(boot, kSectorBytesAt);
  if (type == FsType::ntfs) return checked_mul(le64(boot, kNtfsSectorsAt), sector_bytes);
  const std::uint64_t sector = le16(boot, kFat32BackupAt);
  if (type != FsType::fat32 || sector == 0 || sector >= le16(boot, kReservedAt)) return std::nullopt;
  return sector * sector_bytes;
}

}  // namespace

std::vector<Extent> clip_to_step(const std::vector<Extent>& used, const CopyStep& step) {
  std::vector<Extent> out;
  for (const Extent& extent : used) {
    const std::uint64_t start = std::max(extent.start, step.skip_bytes);
    const std::uint64_t end = std::min(extent.end(), step.limit_bytes);
    if (start < end) out.push_back({start, end - start});
  }
  return out;
}

Result<std::vector<Extent>> fields_on(Drive& target, const HiddenSectorsFix& fix) {
  std::vector<Extent> fields;
  Bytes boot(kBootSectorBytes), backup(kBootSectorBytes);
  if (fix.partition_bytes < boot.size()) return fields;
  TRY(target.read(fix.partition_byte, boot));
  if (!is_boot_sector(boot, fix.type)) return fields;
  fields.push_back({fix.partition_byte + kHiddenSectorsAt, kHiddenSectorsBytes});
  const std::optional<std::uint64_t> place = backup_place(boot, fix.type);
  if (!place || !fits(*place, backup.size(), fix.partition_bytes)) return fields;
  TRY(target.read(fix.partition_byte + *place, backup));
  // Anything else there is somebody's data.
  const auto same = [&](std::size_t from, std::size_t to) {
    return std::ranges::equal(ByteSpan(boot).subspan(from, to - from), ByteSpan(backup).subspan(from, to - from));
  };
  if (is_boot_sector(backup, fix.type) && same(kNameAt, kHiddenSectorsAt))
    fields.push_back({fix.partition_byte + *place + kHiddenSectorsAt, kHiddenSectorsBytes});
  return fields;
}

std::vector<Extent> cleared_ranges(const Area& area) {
  std::vector<Extent> out;
  for (const LeftOutFile& file : area.left_out) {
    std::uint64_t left = file.kind == LeftOutFile::Kind::page ? kPageFileHead : kHibernationFileHead;
    // The extents are sorted by place, not by position in the file: clear the head of every run instead of guessing.
    for (const Extent& extent : file.extents.items()) out.push_back({extent.start, std::min(extent.length, left)});
  }
  return out;
}

}  // namespace tintype
