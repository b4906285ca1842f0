// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "layout/crc32.h"
#include "layout/gpt.h"
#include "layout/write.h"

namespace tintype {
namespace {

// UTF-8 (from our own texts, already checked) to the 36 little-endian UTF-16 units of an entry.
Bytes gpt_name(std::string_view text) {
  Bytes out(gpt_entry::kNameBytes);
  std::size_t at = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t c = length == 1 ? lead : lead & (0x7FU >> length);
    for (std::size_t k = 1; k < length && i + k < text.size(); ++k)
      c = (c << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
    i += length;
    const std::size_t bytes = c < 0x10000 ? 2 : 4;
    if (at + bytes > out.size()) break;
    if (bytes == 2) {
      store_le<std::uint16_t>(out, at, static_cast<std::uint16_t>(c));
    } else {
      store_le<std::uint16_t>(out, at, static_cast<std::uint16_t>(0xD800 + ((c - 0x10000) >> 10)));
      store_le<std::uint16_t>(out, at + 2, static_cast<std::uint16_t>(0xDC00 + ((c - 0x10000) & 0x3FF)));
    }
    at += bytes;
  }
  return out;
}

void put_entry(MutableByteSpan entry, const Partition& partition) {
  store_guid(entry, gpt_entry::kType, *partition.type_guid);
  store_guid(entry, gpt_entry::kGuid, partition.partition_guid.value_or(Guid{}));
  store_le<std::uint64_t>(entry, gpt_entry::kFirst, partition.start_sector);
  store_le<std::uint64_t>(entry, gpt_entry::kLast, partition.end_sector() - 1);
  store_le<std::uint64_t>(entry, gpt_entry::kAttributes, partition.gpt_attributes);
  const MutableByteSpan name = entry.subspan(gpt_entry::kName, gpt_entry::kNameBytes);
  if (utf8_from_utf16le(name) != partition.name) std::ranges::copy(gpt_name(partition.name), name.begin());
}

Result<Bytes> build_array(const Layout& layout) {
  const GptFacts& facts = *layout.gpt;
  const std::uint64_t sectors = gpt_array_sectors(facts, layout.sector_bytes);
  Bytes array = raw_sectors(layout, facts.entries_sector, sectors).value_or(Bytes(sectors * layout.sector_bytes));
  const auto entry = [&](std::uint32_t id) {
    return MutableByteSpan(array).subspan(std::size_t{id - 1} * facts.entry_bytes, facts.entry_bytes);
  };
  std::vector<bool> listed(facts.entry_count + 1U);
  for (const Partition& partition : layout.partitions) {
    if (!partition.type_guid) continue;
    if (partition.id < 1 || partition.id > facts.entry_count)
      return fail(ErrorCode::corrupt, fmt::format("this GPT has no entry {}", partition.id));
    listed[partition.id] = true;
    put_entry(entry(partition.id), partition);
  }
  // What was taken out of the layout goes; an entry that never made sense stays as it was found.
  for (std::uint32_t id = 1; id <= facts.entry_count; ++id) {
    const MutableByteSpan bytes = entry(id);
    if (!listed[id] && le64(bytes, gpt_entry::kLast) >= le64(bytes, gpt_entry::kFirst))
      std::ranges::fill(bytes, std::byte{0});
  }
  return array;
}

struct HeaderPlace {
  std::uint64_t sector = 0;
  std::uint64_t alternate = 0;
  std::uint64_t entries_sector = 0;
};

Bytes build_header(const Layout& layout, const Bytes& base, const HeaderPlace& place, std::uint32_t entries_crc) {
  using namespace gpt_header;
  Bytes header = base;
  const std::uint32_t header_bytes = le32(header, kHeaderBytes);
  store_le<std::uint64_t>(header, kMySector, place.sector);
  store_le<std::uint64_t>(header, kAlternateSector, place.alternate);
  store_le<std::uint64_t>(header, kFirstUsable, layout.gpt->first_usable_sector);
  store_le<std::uint64_t>(header, kLastUsable, layout.gpt->last_usable_sector);
  store_guid(header, kDiskGuid, layout.disk_guid.value_or(Guid{}));
  store_le<std::uint64_t>(header, kEntriesSector, place.entries_sector);
  store_le<std::uint32_t>(header, kEntryCount, layout.gpt->entry_count);
  store_le<std::uint32_t>(header, kEntryBytes, layout.gpt->entry_bytes);
  store_le<std::uint32_t>(header, kEntriesCrc, entries_crc);
  store_le<std::uint32_t>(header, kHeaderCrc, 0);
  store_le<std::uint32_t>(header, kHeaderCrc, crc32(ByteSpan(header).first(header_bytes)));
  return header;
}

Bytes blank_header(std::uint32_t sector_bytes) {
  Bytes header(sector_bytes);
  store_le<std::uint64_t>(header, 0, kGptSignature);
  store_le<std::uint32_t>(header, gpt_header::kRevision, kGptRevision);
  store_le<std::uint32_t>(header, gpt_header::kHeaderBytes, kGptHeaderBytes);
  return header;
}

// The protective entry covers the drive behind sector 0, or as much as 32 bits can (UEFI 2.10, table 5.4). On a hybrid
// drive it ends before the entries beside it, and stays; so does a second one that covers what lies behind them.
Result<Bytes> build_sector0(const Layout& layout) {
  Bytes sector0 = raw_sector(layout, 0).value_or(Bytes(layout.sector_bytes));
  store_le<std::uint16_t>(sector0, kMbrMagicAt, kMbrMagic);
  store_le<std::uint32_t>(sector0, kMbrSignatureAt, layout.mbr_signature);
  MbrEntries entries = parse_mbr_entries(sector0);
  std::array<bool, 4> wanted{};
  for (const Partition& partition : layout.partitions) {
    if (partition.mbr_slot == 0) continue;
    const std::size_t slot = partition.mbr_slot - 1U;
    if (slot >= entries.size() || entries[slot].type == kProtectiveType || partition.end_sector() > UINT32_MAX)
      return fail(ErrorCode::corrupt, fmt::format("partition {} cannot stand in entry {} of a hybrid MBR",
                                                  partition.id_text(layout.kind), slot + 1));
    wanted[slot] = true;
    entries[slot].type = partition.mbr_type;
    entries[slot].start = static_cast<std::uint32_t>(partition.start_sector);
    entries[slot].count = static_cast<std::uint32_t>(partition.sector_count);
  }
  const bool hybrid = std::ranges::find(wanted, true) != wanted.end();
  const auto whole = static_cast<std::uint32_t>(std::min<std::uint64_t>(layout.drive_sectors - 1, UINT32_MAX));
  bool protective = false;
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    MbrEntry& entry = entries[slot];
    if (wanted[slot]) continue;
    if (entry.type != kProtectiveType) {
      entry = {};
      continue;
    }
    if (!hybrid && !protective && entry.count != UINT32_MAX) entry = {entry.flag, kProtectiveType, 1, whole};
    protective = true;
  }
  if (!protective) {
    const auto free = std::ranges::find(wanted, false);
    if (free == wanted.end()) return fail(ErrorCode::corrupt, "a hybrid MBR has no entry left for its protective one");
    entries[static_cast<std::size_t>(free - wanted.begin())] = {0, kProtectiveType, 1, whole};
  }
  for (std::size_t slot = 0; slot < entries.size(); ++slot) put_mbr_entry(sector0, slot, entries[slot]);
  return sector0;
}

}  // namespace

Result<std::vector<TableSectors>> render_gpt(const Layout& layout) {
  if (!layout.gpt) return fail(ErrorCode::corrupt, "a GPT layout lacks the facts of its header");
  const GptFacts& facts = *layout.gpt;
  const std::uint64_t array_sectors = gpt_array_sectors(facts, layout.sector_bytes);
  const std::uint64_t last = layout.drive_sectors - 1;
  const std::uint64_t primary_array = facts.primary_entries_sector;
  if (layout.drive_sectors < facts.first_usable_sector + array_sectors + 2)
    return fail(ErrorCode::no_space, fmt::format("a drive of {} sectors is too small for a GPT", layout.drive_sectors));
  if (primary_array < 2 || primary_array + array_sectors > facts.first_usable_sector)
    return fail(ErrorCode::no_space, "the partitions leave no room for the primary entries of the GPT");

  HeaderPlace primary{1, last, primary_array};
  HeaderPlace backup{last, 1, last - array_sectors};
  const auto raw_primary = facts.primary_sound ? raw_sector(layout, 1) : std::nullopt;
  const auto raw_backup = facts.backup_header_sector != 0 ? raw_sector(layout, facts.backup_header_sector) : std::nullopt;
  if (facts.backup_header_sector == last && raw_backup)
    backup.entries_sector = le64(*raw_backup, gpt_header::kEntriesSector);
  if (facts.last_usable_sector >= backup.entries_sector)
    return fail(ErrorCode::no_space, "the usable sectors of the GPT leave no room for the backup at the end");

  const Bytes blank = blank_header(layout.sector_bytes);
  const Bytes array = TRY(build_array(layout));
  const std::uint32_t crc = crc32(ByteSpan(array).first(std::size_t{facts.entry_count} * facts.entry_bytes));
  std::vector<TableSectors> out;
  out.push_back({backup.entries_sector, array});
  out.push_back({last, build_header(layout, raw_backup ? *raw_backup : raw_primary.value_or(blank), backup, crc)});
  out.push_back({primary.entries_sector, array});
  out.push_back({1, build_header(layout, raw_primary ? *raw_primary : raw_backup.value_or(blank), primary, crc)});
  out.push_back({0, TRY(build_sector0(layout))});
  return out;
}

}  // namespace tintype
