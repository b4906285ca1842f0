// SPDX-License-Identifier: GPL-3.0-or-later
#include "layout/edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "layout/gpt.h"
#include "layout/guid.h"
#include "layout/types.h"

namespace tintype {
namespace {

Result<std::size_t> index_of(const Layout& layout, std::uint32_t id) {
  const auto found = std::ranges::find(layout.partitions, id, &Partition::id);
  if (found == layout.partitions.end())
    return fail(ErrorCode::not_found, fmt::format("there is no partition {:#x}", id));
  return static_cast<std::size_t>(found - layout.partitions.begin());
}

Result<std::uint32_t> random_signature(Random& random, std::uint32_t old) {
  std::array<std::byte, 4> bytes{};
  for (int i = 0; i < 16; ++i) {
    TRY(random.fill(bytes));
    if (const std::uint32_t value = le32(bytes, 0); value != 0 && value != old) return value;
  }
  return fail(ErrorCode::io, "the random numbers do not change");
}

}  // namespace

Result<Guid> random_guid(Random& random) {
  Guid guid{};
  TRY(random.fill(guid));
  // Version and variant; the third field is little endian, so its high byte is the second.
  guid[7] = (guid[7] & std::byte{0x0F}) | std::byte{0x40};
  guid[8] = (guid[8] & std::byte{0x3F}) | std::byte{0x80};
  return guid;
}

Result<Layout> make_layout(TableKind kind, std::uint64_t drive_sectors, std::uint32_t sector_bytes, Random& random) {
  if (kind != TableKind::mbr && kind != TableKind::gpt)
    return fail(ErrorCode::usage, "a new table is either mbr or gpt");
  if (!std::has_single_bit(sector_bytes) || sector_bytes < 512 || sector_bytes > 65536)
    return fail(ErrorCode::unsupported, fmt::format("sectors of {} bytes", sector_bytes));
  Layout layout;
  layout.kind = kind;
  layout.sector_bytes = sector_bytes;
  layout.drive_sectors = drive_sectors;
  if (kind == TableKind::gpt) {
    GptFacts facts;
    const std::uint64_t array = gpt_array_sectors(facts, sector_bytes);
    if (drive_sectors < 2 * array + 4)
      return fail(ErrorCode::no_space, fmt::format("a drive of {} sectors is too small for a GPT", drive_sectors));
    facts.first_usable_sector = 2 + array;
    facts.last_usable_sector = drive_sectors - 2 - array;
    layout.gpt = facts;
    layout.disk_guid = TRY(random_guid(random));
  } else {
    layout.mbr_signature = TRY(random_signature(random, 0));
  }
  return layout;
}

Result<Layout> remove_partition(Layout layout, std::uint32_t id) {
  const std::size_t at = TRY(index_of(layout, id));
  const Partition removed = layout.partitions[at];
  std::erase_if(layout.partitions, [&](const Partition& p) {
    return p.id == id || (removed.extended && p.is_volume() && p.id >> 8 == id);
  });
  if (removed.is_volume())
    for (Partition& partition : layout.partitions)
      if (partition.is_volume() && partition.id >> 8 == id >> 8 && partition.id > id) --partition.id;
  if (layout.kind == TableKind::hybrid &&
      std::ranges::none_of(layout.partitions, [](const Partition& p) { return p.mbr_slot != 0; }))
    layout.kind = TableKind::gpt;
  return layout;
}

Result<Layout> set_type(Layout layout, std::uint32_t id, const Partition& like) {
  Partition& partition = layout.partitions[TRY(index_of(layout, id))];
  if (partition.extended || like.extended || is_extended_type(like.mbr_type))
    return fail(ErrorCode::usage, "the type of an extended partition cannot be given or taken");
  if (like.mbr_type == 0 && !like.type_guid) return fail(ErrorCode::usage, "there is no type to set");
  if (partition.type_guid) {
    const Guid type = like.type_guid ? *like.type_guid : guid_for_mbr_type(like.mbr_type).value_or(*partition.type_guid);
    partition.type_guid = type;
  }
  const bool has_entry = !partition.type_guid || partition.mbr_slot != 0;
  if (has_entry) partition.mbr_type = like.mbr_type != 0 ? like.mbr_type : mbr_type_for_guid(*like.type_guid);
  return layout;
}

Result<Layout> set_active(Layout layout, std::uint32_t id) {
  const Partition& chosen = layout.partitions[TRY(index_of(layout, id))];
  if (chosen.is_volume() || chosen.extended)
    return fail(ErrorCode::usage, fmt::format("partition {:#x} is not a primary and cannot be active", id));
  for (Partition& partition : layout.partitions) {
    partition.active = partition.id == id;
    if (!partition.type_guid) continue;
    partition.gpt_attributes &= ~kGptLegacyBootable;
    if (partition.active) partition.gpt_attributes |= kGptLegacyBootable;
  }
  return layout;
}

Result<Layout> new_signature(Layout layout, Random& random) {
  if (layout.kind == TableKind::none) return fail(ErrorCode::usage, "there is no partition table to sign");
  if (!layout.gpt || layout.mbr_signature != 0)
    layout.mbr_signature = TRY(random_signature(random, layout.mbr_signature));
  if (!layout.gpt) return layout;
  layout.disk_guid = TRY(random_guid(random));
  for (Partition& partition : layout.partitions)
    if (partition.type_guid) partition.partition_guid = TRY(random_guid(random));
  return layout;
}

}  // namespace tintype
