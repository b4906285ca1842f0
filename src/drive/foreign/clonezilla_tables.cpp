// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/foreign/clonezilla_tables.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace tintype {
namespace {

constexpr std::size_t kEntriesAt = 446;
constexpr std::size_t kEntryBytes = 16;

// Sector numbers beyond 32 bits do not fit an MBR and become its largest number.
std::uint32_t narrow(std::uint64_t sector) { return static_cast<std::uint32_t>(std::min<std::uint64_t>(sector, 0xFFFFFFFF)); }

void put_entry(Bytes& sector, std::size_t slot, std::uint8_t type, bool active, std::uint64_t start, std::uint64_t sectors) {
  const std::size_t at = kEntriesAt + slot * kEntryBytes;
  std::fill_n(sector.begin() + static_cast<std::ptrdiff_t>(at), kEntryBytes, std::byte{0});
  sector[at] = active ? std::byte{0x80} : std::byte{0};
  sector[at + 4] = std::byte{type};
  // Cylinder, head and sector as every tool writes them when only the sector number counts.
  for (const std::size_t chs : {at + 1, at + 5}) {
    sector[chs] = std::byte{0xFE};
    sector[chs + 1] = sector[chs + 2] = std::byte{0xFF};
  }
  store_le<std::uint32_t>(sector, at + 8, narrow(start));
  store_le<std::uint32_t>(sector, at + 12, narrow(sectors));
}

Bytes empty_table(std::uint32_t sector_bytes) {
  Bytes sector(sector_bytes);
  sector[510] = std::byte{0x55};
  sector[511] = std::byte{0xAA};
  return sector;
}

class Tables {
 public:
  Tables(std::uint32_t sector_bytes, std::uint64_t drive_bytes) : sector_bytes_(sector_bytes), drive_bytes_(drive_bytes) {}

  void put(std::uint64_t start, ByteSpan bytes) {
    if (bytes.empty() || start >= drive_bytes_) return;
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), drive_bytes_ - start));
    pieces.push_back({{start, length}, drive_of(bytes.first(length)), 0});
  }
  void put_sector(std::uint64_t sector, ByteSpan bytes) {
    if (const auto start = checked_mul(sector, sector_bytes_)) put(*start, bytes);
  }
  void put_at_end(ByteSpan bytes) {
    if (bytes.size() <= drive_bytes_) put(drive_bytes_ - bytes.size(), bytes);
  }

  std::vector<CompositePiece> pieces;

 private:
  std::uint64_t sector_bytes_, drive_bytes_;
};

Bytes mbr_of(const SfdiskDump& dump, std::uint32_t sector_bytes) {
  Bytes sector = empty_table(sector_bytes);
  store_le<std::uint32_t>(sector, 440, dump.signature);
  for (const SfdiskDump::Entry& entry : dump.entries)
    if (entry.number >= 1 && entry.number <= 4) put_entry(sector, entry.number - 1, entry.mbr_type, entry.bootable, entry.start, entry.sectors);
  return sector;
}

// The chain of tables of an extended partition. The first stands at its start, the others as far before their volumes as the first
// does, if there is room: their own places are not kept.
void put_volumes(Tables& tables, const SfdiskDump& dump, const SfdiskDump::Entry& extended, std::uint32_t sector_bytes, const std::optional<Bytes>& kept) {
  std::vector<SfdiskDump::Entry> volumes;
  for (const SfdiskDump::Entry& entry : dump.entries)
    if (entry.number >= 5 && entry.start > extended.start && entry.start < extended.start + extended.sectors) volumes.push_back(entry);
  std::ranges::sort(volumes, {}, &SfdiskDump::Entry::number);
  std::vector<std::uint64_t> places;
  for (const SfdiskDump::Entry& volume : volumes) {
    const std::uint64_t gap = volumes.front().start - extended.start;
    std::uint64_t place = volume.start - std::min(gap, volume.start - extended.start);
    for (const SfdiskDump::Entry& other : volumes)
      if (other.start < volume.start) place = std::max(place, other.start + other.sectors);
    places.push_back(places.empty() ? extended.start : std::min(place, volume.start - 1));
  }
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    Bytes sector = empty_table(sector_bytes);
    if (i == 0 && kept && kept->size() >= kEntriesAt) std::memcpy(sector.data(), kept->data(), kEntriesAt);
    put_entry(sector, 0, volumes[i].mbr_type, volumes[i].bootable, volumes[i].start - places[i], volumes[i].sectors);
    if (i + 1 < volumes.size())
      put_entry(sector, 1, 0x05, false, places[i + 1] - extended.start, volumes[i + 1].start + volumes[i + 1].sectors - places[i + 1]);
    tables.put_sector(places[i], sector);
  }
  if (volumes.empty()) tables.put_sector(extended.start, kept && kept->size() >= 512 ? *kept : empty_table(sector_bytes));
}

// sgdisk's backup: protective MBR, both headers, then the entries (gdisk, GPTData::SaveGPTBackup).
void put_gdisk(Tables& tables, const Bytes& saved, std::uint32_t sector_bytes) {
  const std::size_t headers = std::size_t{3} * sector_bytes;
  if (saved.size() <= headers) return;
  const ByteSpan bytes(saved);
  const ByteSpan entries = bytes.subspan(headers);
  tables.put_sector(0, bytes.first(std::size_t{2} * sector_bytes));
  tables.put_sector(2, entries);
  Bytes tail(entries.begin(), entries.end());
  tail.insert(tail.end(), saved.begin() + static_cast<std::ptrdiff_t>(2 * sector_bytes), saved.begin() + static_cast<std::ptrdiff_t>(headers));
  tables.put_at_end(tail);
}

void put_gpt(Tables& tables, const std::string& disk, std::uint32_t sector_bytes, const FolderFile& file) {
  const std::optional<Bytes> first = file(disk + "-gpt-1st"), second = file(disk + "-gpt-2nd");
  if (first) tables.put(0, *first);
  // Whatever number of sectors it has: it was read up to the end of the disk.
  if (second) tables.put_at_end(*second);
  // Clonezilla's copy begins one sector too late. The entries are the same as those of the first table.
  constexpr std::size_t kArray = 128 * 128;
  if (first && second && sector_bytes == 512 && first->size() >= 1024 + kArray) {
    Bytes tail(first->begin() + 1024, first->begin() + 1024 + kArray);
    tail.resize(kArray + sector_bytes);
    tables.put_at_end(tail);
  }
  if (const std::optional<Bytes> saved = file(disk + "-gpt.gdisk")) put_gdisk(tables, *saved, sector_bytes);
}

std::string value_of(const std::string& info, const std::string& key) {
  const std::size_t at = info.find(key + "=\"");
  if (at == std::string::npos) return {};
  const std::size_t from = at + key.size() + 2;
  const std::size_t end = info.find('"', from);
  return end == std::string::npos ? std::string() : info.substr(from, end - from);
}

}  // namespace

std::vector<CompositePiece> clonezilla_tables(const SfdiskDump& dump, const std::string& disk, std::uint32_t sector_bytes, std::uint64_t drive_bytes,
                                              const FolderFile& file) {
  Tables tables(sector_bytes, drive_bytes);
  const std::optional<Bytes> mbr = file(disk + "-mbr");
  if (dump.gpt) put_gpt(tables, disk, sector_bytes, file);
  if (mbr && mbr->size() >= 512)
    tables.put(0, *mbr);
  else if (!dump.gpt)
    tables.put(0, mbr_of(dump, sector_bytes));
  if (!dump.gpt)
    for (const SfdiskDump::Entry& entry : dump.entries)
      if (entry.number <= 4 && entry.extended()) {
        std::string device = entry.device;
        std::ranges::replace(device, '/', '-');
        put_volumes(tables, dump, entry, sector_bytes, file(device + "-ebr"));
      }
  std::uint64_t first_start = drive_bytes / sector_bytes;
  for (const SfdiskDump::Entry& entry : dump.entries) first_start = std::min(first_start, entry.start);
  if (auto hidden = file(disk + "-hidden-data-after-mbr"); hidden && first_start > 1) {
    hidden->resize(static_cast<std::size_t>(std::min<std::uint64_t>(hidden->size(), (first_start - 1) * sector_bytes)));
    tables.put(sector_bytes, *hidden);
  }
  return std::move(tables.pieces);
}

Bytes swap_header(const std::string& info, std::uint64_t partition_bytes) {
  constexpr std::size_t kPage = 4096;
  if (partition_bytes < 10 * kPage) return {};
  Bytes page(kPage);
  store_le<std::uint32_t>(page, 1024, 1);
  store_le<std::uint32_t>(page, 1028, static_cast<std::uint32_t>(std::min<std::uint64_t>(partition_bytes / kPage - 1, 0xFFFFFFFF)));
  // guid_from_string() has Microsoft's byte order in its first three fields; swap keeps the plain one.
  if (auto uuid = guid_from_string(value_of(info, "UUID"))) {
    std::reverse(uuid->begin(), uuid->begin() + 4);
    std::reverse(uuid->begin() + 4, uuid->begin() + 6);
    std::reverse(uuid->begin() + 6, uuid->begin() + 8);
    std::ranges::copy(*uuid, page.begin() + 1036);
  }
  const std::string label = value_of(info, "LABEL").substr(0, 16);
  std::memcpy(page.data() + 1052, label.data(), label.size());
  std::memcpy(page.data() + kPage - 10, "SWAPSPACE2", 10);
  return page;
}

}  // namespace tintype
