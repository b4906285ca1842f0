// SPDX-License-Identifier: GPL-3.0-or-later
#include "layout/gpt.h"

#include <fmt/format.h>

#include <algorithm>

#include "layout/crc32.h"
#include "layout/table_reader.h"

namespace tintype {
namespace {

struct GptCopy {
  std::uint64_t sector = 0;
  std::uint64_t alternate = 0;
  Guid disk_guid{};
  GptFacts facts;
  std::uint32_t entries_crc = 0;
  Bytes header;
  Bytes array;  // whole sectors
};

// What is wrong with a header, as the end of a sentence; empty if nothing is.
std::string header_fault(ByteSpan sector, std::uint64_t at) {
  using namespace gpt_header;
  if (le64(sector, 0) != kGptSignature) return "it has no signature";
  const std::uint32_t header_bytes = le32(sector, kHeaderBytes);
  if (header_bytes < kGptHeaderBytes || header_bytes > sector.size())
    return fmt::format("its header claims {} bytes", header_bytes);
  Bytes copy(sector.begin(), sector.begin() + header_bytes);
  store_le<std::uint32_t>(copy, kHeaderCrc, 0);
  if (crc32(copy) != le32(sector, kHeaderCrc)) return "the checksum of its header is wrong";
  if (le64(sector, kMySector) != at) return fmt::format("it says that it lies at sector {}", le64(sector, kMySector));
  const std::uint32_t entry_bytes = le32(sector, kEntryBytes);
  const std::uint32_t entry_count = le32(sector, kEntryCount);
  if (entry_bytes < kGptMinEntryBytes || entry_bytes > kGptMaxEntryBytes || entry_bytes % 8 != 0)
    return fmt::format("it claims entries of {} bytes", entry_bytes);
  if (entry_count == 0 || std::uint64_t{entry_count} * entry_bytes > kGptMaxArrayBytes)
    return fmt::format("it claims {} entries", entry_count);
  return {};
}

Result<GptCopy> load_copy(TableReader& reader, std::uint64_t at) {
  using namespace gpt_header;
  GptCopy copy;
  copy.sector = at;
  copy.header = TRY(reader.read(at, 1));
  if (std::string fault = header_fault(copy.header, at); !fault.empty())
    return fail(ErrorCode::corrupt, std::move(fault));
  copy.alternate = le64(copy.header, kAlternateSector);
  copy.disk_guid = load_guid(copy.header, kDiskGuid);
  copy.entries_crc = le32(copy.header, kEntriesCrc);
  copy.facts.entry_count = le32(copy.header, kEntryCount);
  copy.facts.entry_bytes = le32(copy.header, kEntryBytes);
  copy.facts.first_usable_sector = le64(copy.header, kFirstUsable);
  copy.facts.last_usable_sector = le64(copy.header, kLastUsable);
  copy.facts.header_sector = at;
  copy.facts.entries_sector = le64(copy.header, kEntriesSector);
  auto array = reader.read(copy.facts.entries_sector, gpt_array_sectors(copy.facts, reader.layout().sector_bytes));
  if (!array) return fail(std::move(array).error().within("its entries cannot be read"));
  copy.array = std::move(*array);
  const ByteSpan entries = ByteSpan(copy.array).first(std::size_t{copy.facts.entry_count} * copy.facts.entry_bytes);
  if (crc32(entries) != copy.entries_crc) return fail(ErrorCode::corrupt, "the checksum of its entries is wrong");
  return copy;
}

// The backup belongs into the last sector; on a drive that has grown it lies where the primary says.
std::optional<GptCopy> find_backup(TableReader& reader, const GptCopy* primary) {
  const std::uint64_t last = reader.layout().drive_sectors - 1;
  std::optional<std::uint64_t> hint;
  if (primary != nullptr) {
    hint = primary->alternate;
  } else if (const auto header = reader.read(1, 1); header && le64(*header, 0) == kGptSignature) {
    hint = le64(*header, gpt_header::kAlternateSector);  // may be damaged too; its own checksums decide
  }
  std::optional<GptCopy> found;
  for (const auto& at : {hint, std::optional(last)}) {
    if (!at || *at <= 1 || found) continue;
    if (auto copy = load_copy(reader, *at)) {
      const bool other_drive = primary != nullptr && copy->disk_guid != primary->disk_guid;
      if (!other_drive) found = std::move(*copy);
    }
  }
  return found;
}

void list_partitions(TableReader& reader, const GptCopy& copy) {
  Layout& layout = reader.layout();
  for (std::uint32_t i = 0; i < copy.facts.entry_count; ++i) {
    const ByteSpan entry = ByteSpan(copy.array).subspan(std::size_t{i} * copy.facts.entry_bytes, kGptMinEntryBytes);
    const Guid type = load_guid(entry, gpt_entry::kType);
    if (type == Guid{}) continue;
    const std::uint64_t first = le64(entry, gpt_entry::kFirst);
    const std::uint64_t last = le64(entry, gpt_entry::kLast);
    if (last < first || last == UINT64_MAX) {
      reader.problem(fmt::format("GPT entry {} ends before it begins; it is left out.", i + 1));
      continue;
    }
    Partition partition;
    partition.id = i + 1;
    partition.start_sector = first;
    partition.sector_count = last - first + 1;
    partition.type_guid = type;
    partition.partition_guid = load_guid(entry, gpt_entry::kGuid);
    partition.gpt_attributes = le64(entry, gpt_entry::kAttributes);
    partition.active = (partition.gpt_attributes & kGptLegacyBootable) != 0;
    partition.name = utf8_from_utf16le(entry.subspan(gpt_entry::kName, gpt_entry::kNameBytes));
    if (first < copy.facts.first_usable_sector || last > copy.facts.last_usable_sector)
      reader.problem(fmt::format("Partition {} is not inside the sectors that the GPT allows.", partition.id));
    layout.partitions.push_back(std::move(partition));
  }
}

// Entries of sector 0 beside the protective one describe GPT partitions a second time, for systems without GPT.
void match_hybrid_entries(TableReader& reader, const MbrEntries& entries) {
  Layout& layout = reader.layout();
  for (std::uint8_t slot = 1; slot <= entries.size(); ++slot) {
    const MbrEntry& entry = entries[slot - 1U];
    if (!entry.used() || entry.type == kProtectiveType) continue;
    layout.kind = TableKind::hybrid;
    const auto same = std::ranges::find_if(layout.partitions, [&](const Partition& p) {
      return p.start_sector == entry.start && p.sector_count == entry.count && p.mbr_slot == 0;
    });
    if (same != layout.partitions.end()) {
      same->mbr_type = entry.type;
      same->mbr_slot = slot;
      continue;
    }
    reader.problem(fmt::format("MBR entry {} of the hybrid table ({} sectors at {}) is not a partition of the GPT.",
                               slot, entry.count, entry.start));
    Partition extra;
    extra.id = kHybridOnly + slot;
    extra.start_sector = entry.start;
    extra.sector_count = entry.count;
    extra.mbr_type = entry.type;
    extra.mbr_slot = slot;
    layout.partitions.push_back(std::move(extra));
  }
}

void note_copies(TableReader& reader, const GptCopy* primary, const std::string& primary_fault,
                 const GptCopy* backup) {
  const std::uint64_t last = reader.layout().drive_sectors - 1;
  if (primary == nullptr)
    reader.problem(fmt::format("The primary GPT is damaged ({}); the backup at sector {} is used.", primary_fault,
                               backup->sector));
  else if (backup == nullptr)
    reader.problem(fmt::format("The backup GPT at sector {} is missing or damaged.", primary->alternate));
  else if (primary->entries_crc != backup->entries_crc)
    reader.problem("The two copies of the GPT differ; the primary is used.");
  if (backup != nullptr && backup->sector != last)
    reader.problem(fmt::format("The backup GPT lies at sector {}, not at the end of the drive ({}).", backup->sector,
                               last));
}

}  // namespace

Guid load_guid(ByteSpan bytes, std::size_t at) {
  Guid guid;
  std::ranges::copy(bytes.subspan(at, guid.size()), guid.begin());
  return guid;
}

void store_guid(MutableByteSpan bytes, std::size_t at, const Guid& guid) {
  std::ranges::copy(guid, bytes.subspan(at, guid.size()).begin());
}

std::uint64_t gpt_array_sectors(const GptFacts& facts, std::uint32_t sector_bytes) {
  return div_round_up(std::uint64_t{facts.entry_count} * facts.entry_bytes, sector_bytes);
}

bool read_gpt(TableReader& reader, const MbrEntries& entries) {
  Layout& layout = reader.layout();
  auto primary = load_copy(reader, 1);
  const auto backup = find_backup(reader, primary ? &*primary : nullptr);
  if (!primary && !backup) {
    reader.problem(fmt::format("Sector 0 announces a GPT, but its primary copy is damaged ({}) and there is no sound "
                               "backup at the end.", primary.error().what));
    return false;
  }
  const GptCopy* const first = primary ? &*primary : nullptr;
  const GptCopy* const second = backup ? &*backup : nullptr;
  const GptCopy& used = primary ? *primary : *backup;
  layout.kind = TableKind::gpt;
  layout.disk_guid = used.disk_guid;
  layout.recovered_from_backup = !primary;
  layout.gpt = used.facts;
  layout.gpt->primary_sound = primary.has_value();
  layout.gpt->primary_entries_sector = primary ? primary->facts.entries_sector : 2;
  layout.gpt->backup_header_sector = backup ? backup->sector : 0;
  note_copies(reader, first, primary ? std::string() : primary.error().what, second);
  for (const GptCopy* const copy : {first, second}) {
    if (copy == nullptr) continue;
    reader.keep(copy->sector, copy->header);
    reader.keep(copy->facts.entries_sector, copy->array);
  }
  list_partitions(reader, used);
  match_hybrid_entries(reader, entries);
  return true;
}

}  // namespace tintype
