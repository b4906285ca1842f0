// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/restore_steps.h"

#include <algorithm>

namespace tintype {
namespace {

constexpr std::uint64_t kPageFileHead = 4096;
constexpr std::uint64_t kHibernationFileHead = 8192;
// BPB of NTFS and FAT: "hidden sectors", 32 bits at 0x1C (Microsoft FAT specification, section 3).
constexpr std::uint64_t kHiddenSectorsAt = 0x1C;
constexpr std::uint64_t kHiddenSectorsBytes = 4;
constexpr std::uint64_t kFat32BackupAt = 6 * 512;
constexpr std::uint64_t kSector = 512;

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

std::vector<Extent> fields_of(const HiddenSectorsFix& fix) {
  std::vector<Extent> fields = {{fix.partition_byte + kHiddenSectorsAt, kHiddenSectorsBytes}};
  if (fix.type == FsType::fat32) fields.push_back({fix.partition_byte + kFat32BackupAt + kHiddenSectorsAt, kHiddenSectorsBytes});
  if (fix.type == FsType::ntfs)
    fields.push_back({fix.partition_byte + fix.partition_bytes - kSector + kHiddenSectorsAt, kHiddenSectorsBytes});
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
