// SPDX-License-Identifier: GPL-3.0-or-later
#include "layout/mbr.h"

#include <fmt/format.h>

#include <bit>
#include <set>
#include <string_view>

#include "layout/table_reader.h"

namespace tintype {
namespace {

// Every used entry lies on the drive, behind sector 0, and none overlaps another. Boot messages and code that stand
// where a table would be do not pass this.
bool is_flawless(const MbrEntries& entries, std::uint64_t drive_sectors) {
  std::size_t used = 0;
  for (const MbrEntry& entry : entries) {
    if (!entry.used()) continue;
    ++used;
    if (entry.start == 0 || entry.type == 0 || entry.end() > drive_sectors) return false;
    for (const MbrEntry& other : entries)
      if (&other != &entry && other.used() && other.start < entry.end() && entry.start < other.end()) return false;
  }
  return used > 0;
}

// The parameter block that FAT of every width shares (Microsoft FAT specification 1.03, "Boot Sector and BPB").
bool has_fat_parameters(ByteSpan sector) {
  const std::uint16_t sector_bytes = le16(sector, 11);
  const std::uint8_t cluster_sectors = u8(sector, 13);
  const std::uint8_t fats = u8(sector, 16);
  const std::uint8_t media = u8(sector, 21);
  return std::has_single_bit(sector_bytes) && sector_bytes >= 512 && sector_bytes <= 4096 &&
         std::has_single_bit(cluster_sectors) && le16(sector, 14) != 0 && fats >= 1 && fats <= 4 &&
         (media == 0xF0 || media >= 0xF8) && (le16(sector, 19) != 0 || le32(sector, 32) != 0);
}

class ChainWalk {
 public:
  ChainWalk(TableReader& reader, std::uint32_t slot, const MbrEntry& extended)
      : reader_(reader), slot_(slot), extended_(extended) {}

  void run() {
    std::uint64_t at = extended_.start;
    while (true) {
      const auto next = step(at);
      if (!next) return;
      at = *next;
    }
  }

 private:
  // Empty links count too, so that a chain of nothing but links ends.
  static constexpr std::size_t kMaxLinks = 512;

  std::string name() const { return fmt::format("The chain of extended partition {:#x}", slot_); }

  std::optional<std::uint64_t> step(std::uint64_t at) {
    if (at >= reader_.layout().drive_sectors) {
      reader_.problem(fmt::format("{} leaves the drive at sector {}.", name(), at));
      return std::nullopt;
    }
    if (at == 0 || !seen_.insert(at).second) {
      reader_.problem(fmt::format("{} is a loop: it comes back to sector {}.", name(), at));
      return std::nullopt;
    }
    if (seen_.size() > kMaxLinks) {
      reader_.problem(fmt::format("{} is longer than {} links.", name(), kMaxLinks));
      return std::nullopt;
    }
    auto sector = reader_.read(at, 1);
    if (!sector) {
      reader_.problem(fmt::format("{} cannot be read at sector {}: {}.", name(), at, sector.error().message()));
      return std::nullopt;
    }
    if (!has_mbr_magic(*sector)) {
      reader_.problem(fmt::format("{} ends in a sector that is no table, {}.", name(), at));
      return std::nullopt;
    }
    reader_.keep(at, *sector);
    return follow(at, parse_mbr_entries(*sector));
  }

  // The first two entries are the volume and the link in whichever order; OS/2 also put volumes into the others.
  std::optional<std::uint64_t> follow(std::uint64_t at, const MbrEntries& entries) {
    const MbrEntry* link = nullptr;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const MbrEntry& entry = entries[i];
      if (!entry.used()) continue;
      if (!entry.extended())
        add_volume(at, entry, i);
      else if (link == nullptr)
        link = &entry;
      else
        reader_.problem(fmt::format("{} branches at sector {}; only the first link is followed.", name(), at));
    }
    if (link == nullptr) return std::nullopt;
    const std::uint64_t next = std::uint64_t{extended_.start} + link->start;
    if (next >= extended_.end() && next < reader_.layout().drive_sectors)
      reader_.problem(fmt::format("{} leaves it for sector {}.", name(), next));
    return next;
  }

  void add_volume(std::uint64_t at, const MbrEntry& entry, std::size_t index) {
    Layout& layout = reader_.layout();
    const std::uint64_t start = at + entry.start;
    const std::uint64_t end = start + entry.count;
    const bool inside = start > at && end <= extended_.end();
    const bool leftovers = index >= 2 && !inside;  // bytes behind the two entries that everybody writes
    if (leftovers) return;
    if (!entry.flag_valid() || start >= layout.drive_sectors) {
      reader_.problem(fmt::format("The EMBR at sector {} describes a volume that cannot be ({} sectors at {}); it is "
                                  "left out.", at, entry.count, start));
      return;
    }
    if (volumes_ == kMaxVolumes) {
      reader_.problem(fmt::format("{} has more than {} volumes; the rest is left out.", name(), kMaxVolumes));
      return;
    }
    Partition volume;
    volume.id = slot_ << 8 | ++volumes_;
    volume.start_sector = start;
    volume.sector_count = entry.count;
    volume.mbr_type = entry.type;
    volume.active = entry.flag == 0x80;
    volume.embr_sector = at;
    if (!inside)
      reader_.problem(fmt::format("Volume {:#x} is not inside its extended partition.", volume.id));
    layout.partitions.push_back(std::move(volume));
  }

  TableReader& reader_;
  std::uint32_t slot_;
  MbrEntry extended_;
  std::set<std::uint64_t> seen_;
  std::uint32_t volumes_ = 0;
};

}  // namespace

bool has_mbr_magic(ByteSpan sector) { return le16(sector, kMbrMagicAt) == kMbrMagic; }

MbrEntries parse_mbr_entries(ByteSpan sector) {
  MbrEntries entries;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::size_t at = kMbrEntriesAt + i * kMbrEntryBytes;
    entries[i] = {u8(sector, at), u8(sector, at + 4), le32(sector, at + 8), le32(sector, at + 12)};
  }
  return entries;
}

bool is_file_system_boot_sector(ByteSpan sector) {
  const std::string_view name = as_text(sector.subspan(3, 8));
  for (const std::string_view known : {"NTFS    ", "EXFAT   ", "-FVE-FS-", "EXTLINUX"})
    if (name == known) return true;
  const std::uint8_t jump = u8(sector, 0);
  const bool says_fat = as_text(sector.subspan(54, 3)) == "FAT" || as_text(sector.subspan(82, 3)) == "FAT";
  return (jump == 0xEB || jump == 0xE9 || says_fat) && has_fat_parameters(sector);
}

// util-linux refuses a table whose boot flags are not 00 or 80, or whose sector is a FAT boot sector. The second rule is
// softened here: a boot loader keeps an old parameter block when it is installed on a drive that was a FAT volume
// once, and then a flawless table is more telling than the block.
bool is_partition_table(ByteSpan sector, std::uint64_t drive_sectors) {
  if (!has_mbr_magic(sector)) return false;
  if (le32(sector, 0) == 0xC1D4C2C9) return false;  // "IBMA" in EBCDIC: an AIX disk record
  const MbrEntries entries = parse_mbr_entries(sector);
  for (const MbrEntry& entry : entries)
    if (!entry.flag_valid()) return false;
  return !is_file_system_boot_sector(sector) || is_flawless(entries, drive_sectors);
}

void read_mbr_partitions(TableReader& reader, const MbrEntries& entries) {
  for (std::uint32_t slot = 1; slot <= entries.size(); ++slot) {
    const MbrEntry& entry = entries[slot - 1];
    if (!entry.used()) continue;
    Partition partition;
    partition.id = slot;
    partition.mbr_slot = static_cast<std::uint8_t>(slot);
    partition.start_sector = entry.start;
    partition.sector_count = entry.count;
    partition.mbr_type = entry.type;
    partition.active = entry.flag == 0x80;
    partition.extended = entry.extended();
    reader.layout().partitions.push_back(partition);
    if (partition.extended) ChainWalk(reader, slot, entry).run();
  }
}

}  // namespace tintype
