// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "layout/edit.h"
#include "layout/gpt.h"

namespace tintype {
namespace {

constexpr std::uint64_t kAlignmentBytes = 1024 * 1024;
constexpr std::uint64_t kMbrReach = std::uint64_t{1} << 32;  // first sector that 32 bits cannot name

// Sectors of [start, end) that none of the taken ranges covers.
std::vector<Extent> gaps(std::uint64_t start, std::uint64_t end, std::vector<Extent> taken) {
  std::ranges::sort(taken, {}, &Extent::start);
  std::vector<Extent> out;
  for (const Extent& range : taken) {
    if (range.start >= end) break;
    if (range.start > start) out.push_back({start, range.start - start});
    start = std::max(start, range.end());
  }
  if (start < end) out.push_back({start, end - start});
  return out;
}

void add_outside(const Layout& layout, std::uint64_t alignment, std::vector<FreeSpace>& out) {
  std::uint64_t start = 1;
  std::uint64_t end = std::min(layout.drive_sectors, kMbrReach);
  if (layout.gpt) {
    const std::uint64_t back = gpt_array_sectors(*layout.gpt, layout.sector_bytes) + 1;
    start = layout.gpt->first_usable_sector;
    end = layout.drive_sectors > back ? layout.drive_sectors - back : 0;
    end = std::min(end, layout.gpt->last_usable_sector + 1);
  }
  std::vector<Extent> taken;
  for (const Partition& partition : layout.partitions)
    if (!partition.is_volume()) taken.push_back({partition.start_sector, partition.sector_count});
  for (const Extent& gap : gaps(start, end, std::move(taken))) {
    FreeSpace space{gap.start, gap.length, 0, round_up(gap.start, alignment), 0, 0};
    space.usable_count = gap.end() > space.usable_start ? gap.end() - space.usable_start : 0;
    out.push_back(space);
  }
}

void add_inside(const Layout& layout, const Partition& extended, std::uint64_t alignment,
                std::vector<FreeSpace>& out) {
  std::vector<Extent> taken = {{extended.start_sector, 1}};
  bool empty = true;
  for (const Partition& volume : layout.partitions) {
    if (!volume.is_volume() || volume.id >> 8 != extended.id) continue;
    empty = false;
    taken.push_back({volume.start_sector, volume.sector_count});
    taken.push_back({volume.embr_sector, 1});
  }
  const std::uint64_t end = std::min(extended.end_sector(), layout.drive_sectors);
  for (const Extent& gap : gaps(extended.start_sector, end, std::move(taken))) {
    FreeSpace space{gap.start, gap.length, extended.id, 0, 0, 0};
    // The first volume uses the EMBR at the container's start; every other needs a sector of its own in the gap.
    space.usable_start = round_up(gap.start + (empty ? 0 : 1), alignment);
    space.embr_sector = empty ? extended.start_sector : std::max(gap.start, space.usable_start - alignment);
    space.usable_count = gap.end() > space.usable_start ? gap.end() - space.usable_start : 0;
    out.push_back(space);
  }
}

}  // namespace

std::uint64_t default_alignment_sectors(const Layout& layout) { return kAlignmentBytes / layout.sector_bytes; }

std::vector<FreeSpace> free_space(const Layout& layout, std::uint64_t alignment_sectors) {
  std::vector<FreeSpace> out;
  if (layout.kind == TableKind::none) return out;
  const std::uint64_t alignment = alignment_sectors == 0 ? default_alignment_sectors(layout) : alignment_sectors;
  add_outside(layout, alignment, out);
  for (const Partition& partition : layout.partitions)
    if (partition.extended) add_inside(layout, partition, alignment, out);
  return out;
}

}  // namespace tintype
