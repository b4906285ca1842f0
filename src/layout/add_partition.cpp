// SPDX-License-Identifier: GPL-3.0-or-later
// Adding: choose a gap, then fill in an entry for the kind of table.
#include <fmt/format.h>

#include <algorithm>

#include "layout/edit.h"
#include "layout/gpt.h"
#include "layout/guid.h"
#include "layout/types.h"

namespace tintype {
namespace {

std::string sized(const Layout& layout, std::uint64_t sectors) {
  return fmt::format("{} sectors ({})", sectors, format_size(sectors * layout.sector_bytes));
}

// The first free entry, or 0.
std::uint32_t free_entry(const Layout& layout) {
  const std::uint32_t entries = layout.gpt ? layout.gpt->entry_count : 4;
  std::vector<bool> used(entries + 1U);
  for (const Partition& partition : layout.partitions)
    if (partition.id <= entries) used[partition.id] = true;
  for (std::uint32_t id = 1; id <= entries; ++id)
    if (!used[id]) return id;
  return 0;
}

// The number for another volume in the chain, or 0.
std::uint32_t free_volume(const Layout& layout, std::uint32_t extended_id) {
  std::uint32_t last = extended_id << 8;
  for (const Partition& partition : layout.partitions)
    if (partition.is_volume() && partition.id >> 8 == extended_id) last = std::max(last, partition.id);
  return (last & 0xFF) == kMaxVolumes ? 0 : last + 1;
}

Error table_full(const Layout& layout) {
  if (layout.gpt)
    return make_error(ErrorCode::refused, fmt::format("all {} entries of the GPT are in use", layout.gpt->entry_count));
  return make_error(ErrorCode::refused, "all 4 primary slots of the MBR are in use",
                    "remove a partition, or use free space inside an extended partition");
}

bool allowed(const FreeSpace& space, const Partition& wanted, Placement::Where where) {
  const bool inside = space.extended_id != 0;
  if (inside && (wanted.extended || where == Placement::Where::primary)) return false;
  return inside || where != Placement::Where::volume;
}

// The gap with the partition's final start and size in usable_start and usable_count.
Result<FreeSpace> at_start(const Layout& layout, const Partition& wanted, const Placement& placement) {
  const std::uint64_t start = *placement.start_sector;
  const std::uint64_t alignment =
      placement.alignment_sectors == 0 ? default_alignment_sectors(layout) : placement.alignment_sectors;
  for (FreeSpace space : free_space(layout, 1)) {
    if (!allowed(space, wanted, placement.where)) continue;
    if (start < space.usable_start || start >= space.usable_start + space.usable_count) continue;
    const std::uint64_t room = space.usable_start + space.usable_count - start;
    if (wanted.sector_count > room)
      return fail(ErrorCode::no_space, fmt::format("{} are needed, but only {} are free at sector {}",
                                                   sized(layout, wanted.sector_count), sized(layout, room), start));
    if (space.extended_id != 0 && free_volume(layout, space.extended_id) != (space.extended_id << 8 | 1))
      space.embr_sector = std::max(space.start_sector, start > alignment ? start - alignment : 0);
    space.usable_start = start;
    space.usable_count = wanted.sector_count == 0 ? room : wanted.sector_count;
    return space;
  }
  return fail(ErrorCode::no_space, fmt::format("sector {} is not free", start));
}

Result<FreeSpace> first_fit(const Layout& layout, const Partition& wanted, const Placement& placement) {
  std::optional<FreeSpace> chosen;
  std::uint64_t largest = 0;
  const bool full = free_entry(layout) == 0;
  bool only_full = false;
  for (const FreeSpace& space : free_space(layout, placement.alignment_sectors)) {
    if (!allowed(space, wanted, placement.where) || space.usable_count == 0) continue;
    if (space.extended_id == 0 ? full : free_volume(layout, space.extended_id) == 0) {
      only_full = only_full || space.usable_count >= wanted.sector_count;
      continue;
    }
    if (space.usable_count >= std::max<std::uint64_t>(wanted.sector_count, 1) &&
        (!chosen || (wanted.sector_count == 0 && space.usable_count > largest)))
      chosen = space;
    largest = std::max(largest, space.usable_count);
  }
  if (!chosen && only_full) return fail(table_full(layout));
  if (!chosen)
    return fail(ErrorCode::no_space, fmt::format("{} are needed, but the largest free room has {}",
                                                 sized(layout, wanted.sector_count), sized(layout, largest)));
  if (wanted.sector_count != 0) chosen->usable_count = wanted.sector_count;
  return *chosen;
}

Result<void> fill_gpt(const Layout& layout, Partition& added, Random& random) {
  if (added.extended) return fail(ErrorCode::usage, "a GPT has no extended partitions");
  if (!added.type_guid) added.type_guid = guid_for_mbr_type(added.mbr_type);
  if (!added.type_guid) return fail(ErrorCode::usage, "the new partition has no type");
  const bool taken = std::ranges::find(layout.partitions, added.partition_guid, &Partition::partition_guid) !=
                     layout.partitions.end();
  if (!added.partition_guid || *added.partition_guid == Guid{} || taken) added.partition_guid = TRY(random_guid(random));
  if (added.active) added.gpt_attributes |= kGptLegacyBootable;
  added.mbr_type = 0;
  added.active = (added.gpt_attributes & kGptLegacyBootable) != 0;
  return {};
}

Result<void> fill_mbr(Partition& added) {
  if (added.extended && !is_extended_type(added.mbr_type)) added.mbr_type = 0x0F;
  if (added.mbr_type == 0 && added.type_guid) added.mbr_type = mbr_type_for_guid(*added.type_guid);
  if (added.mbr_type == 0) return fail(ErrorCode::usage, "the new partition has no type");
  if (is_extended_type(added.mbr_type) != added.extended)
    return fail(ErrorCode::usage, "an extended partition's type was given for one that is not extended");
  if (added.sector_count > UINT32_MAX)
    return fail(ErrorCode::unsupported, fmt::format("an MBR cannot describe {} sectors", added.sector_count), "use a GPT");
  added.type_guid.reset();
  added.partition_guid.reset();
  added.gpt_attributes = 0;
  added.name.clear();
  return {};
}

// Primaries by slot, each container followed by its volumes.
std::uint32_t table_order(const Partition& partition) {
  return partition.is_volume() ? partition.id : partition.id << 8;
}

}  // namespace

Result<Added> add_partition(Layout layout, const Partition& wanted, const Placement& placement, Random& random) {
  if (layout.kind == TableKind::none) return fail(ErrorCode::usage, "there is no partition table to add to");
  const FreeSpace space = TRY(placement.start_sector ? at_start(layout, wanted, placement)
                                                     : first_fit(layout, wanted, placement));
  Partition added = wanted;
  added.start_sector = space.usable_start;
  added.sector_count = space.usable_count;
  added.embr_sector = space.embr_sector;
  added.mbr_slot = 0;
  added.leaves_drive = false;
  added.id = space.extended_id != 0 ? free_volume(layout, space.extended_id) : free_entry(layout);
  if (added.id == 0) return fail(table_full(layout));
  if (layout.gpt) {
    TRY(fill_gpt(layout, added, random));
  } else {
    TRY(fill_mbr(added));
    if (!added.is_volume()) added.mbr_slot = static_cast<std::uint8_t>(added.id);
    if (added.is_volume()) added.active = false;
  }
  const std::uint32_t id = added.id;
  const bool active = added.active && !layout.gpt;
  layout.partitions.push_back(std::move(added));
  if (layout.gpt)
    std::ranges::sort(layout.partitions, {}, &Partition::id);
  else
    std::ranges::sort(layout.partitions, {}, table_order);
  if (active) layout = TRY(set_active(std::move(layout), id));
  return Added{std::move(layout), id};
}

}  // namespace tintype
