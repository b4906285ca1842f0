// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "layout/write.h"

namespace tintype {
namespace {

// Cylinder, head and sector in the three bytes of an entry, for the geometry of 255 heads and 63 sectors that every system
// assumes; FE FF FF where that does not reach (UEFI 2.10, 5.2.3 uses the same ending mark).
std::array<std::byte, 3> chs_bytes(std::uint64_t sector) {
  constexpr std::uint64_t kHeads = 255, kSectors = 63, kCylinders = 1024;
  if (sector >= kHeads * kSectors * kCylinders) return {std::byte{0xFE}, std::byte{0xFF}, std::byte{0xFF}};
  const std::uint64_t cylinder = sector / (kHeads * kSectors);
  const std::uint64_t head = sector / kSectors % kHeads;
  const std::uint64_t high_bits = (cylinder >> 8) << 6;
  return {static_cast<std::byte>(head), static_cast<std::byte>((sector % kSectors + 1) | high_bits),
          static_cast<std::byte>(cylinder & 0xFF)};
}

Bytes table_sector(const Layout& layout, std::uint64_t sector) {
  Bytes bytes = raw_sector(layout, sector).value_or(Bytes(layout.sector_bytes));
  store_le<std::uint16_t>(bytes, kMbrMagicAt, kMbrMagic);
  return bytes;
}

Result<MbrEntry> entry_of(const Partition& partition, std::uint64_t origin) {
  const std::uint64_t start = partition.start_sector - origin;
  if (partition.start_sector < origin || start > UINT32_MAX || partition.sector_count > UINT32_MAX)
    return fail(ErrorCode::unsupported,
                fmt::format("an MBR cannot describe partition {} ({} sectors at {})",
                            partition.id_text(TableKind::mbr), partition.sector_count, partition.start_sector),
                "use a GPT");
  return MbrEntry{static_cast<std::uint8_t>(partition.active ? 0x80 : 0), partition.mbr_type,
                  static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(partition.sector_count)};
}

std::vector<Partition> chain_of(const Layout& layout, const Partition& extended) {
  std::vector<Partition> volumes;
  for (const Partition& partition : layout.partitions)
    if (partition.is_volume() && partition.id >> 8 == extended.id) volumes.push_back(partition);
  return volumes;
}

// The EMBRs of one chain that did not change, as they were.
void keep_chain(const Layout& layout, const Partition& extended, const std::vector<Partition>& volumes,
                std::vector<TableSectors>& out) {
  const auto in_chain = [&](std::uint64_t sector) {
    const bool inside = sector >= extended.start_sector && sector < extended.end_sector();
    return sector != 0 && (inside || std::ranges::find(volumes, sector, &Partition::embr_sector) != volumes.end());
  };
  for (const TableSectors& piece : layout.table_sectors)
    for (std::uint64_t i = 0; i < piece.bytes.size() / layout.sector_bytes; ++i)
      if (in_chain(piece.start_sector + i))
        out.push_back({piece.start_sector + i, *raw_sector(layout, piece.start_sector + i)});
}

struct Link {
  std::uint64_t sector = 0;
  std::vector<Partition> volumes;  // one; OS/2 put several into one EMBR
  std::uint64_t end() const {
    std::uint64_t end = sector + 1;
    for (const Partition& volume : volumes) end = std::max(end, volume.end_sector());
    return end;
  }
};

std::vector<Link> links_of(const Partition& extended, const std::vector<Partition>& volumes) {
  std::vector<Link> links;
  if (volumes.empty() || volumes.front().embr_sector != extended.start_sector)
    links.push_back({extended.start_sector, {}});  // the chain begins there even if its first volume does not
  for (const Partition& volume : volumes) {
    if (links.empty() || links.back().sector != volume.embr_sector) links.push_back({volume.embr_sector, {}});
    links.back().volumes.push_back(volume);
  }
  return links;
}

Result<void> build_chain(const Layout& layout, const Partition& extended, const std::vector<Partition>& volumes,
                         std::vector<TableSectors>& out) {
  const std::vector<Link> links = links_of(extended, volumes);
  for (std::size_t i = 0; i < links.size(); ++i) {
    const Link& link = links[i];
    const bool last = i + 1 == links.size();
    if (link.volumes.size() + (last ? 0 : 1) > 4)
      return fail(ErrorCode::corrupt, fmt::format("too many volumes share the EMBR at sector {}", link.sector));
    Bytes bytes = table_sector(layout, link.sector);
    MbrEntries entries;
    std::size_t used = 0;
    for (const Partition& volume : link.volumes) entries[used++] = TRY(entry_of(volume, link.sector));
    if (!last) {
      const Link& next = links[i + 1];
      if (next.sector < extended.start_sector || next.sector - extended.start_sector > UINT32_MAX ||
          next.end() - next.sector > UINT32_MAX)
        return fail(ErrorCode::corrupt, fmt::format("an EMBR at sector {} cannot be in extended partition {:#x}",
                                                    next.sector, extended.id));
      entries[used == 0 ? 1 : used] = {0, 0x05, static_cast<std::uint32_t>(next.sector - extended.start_sector),
                                       static_cast<std::uint32_t>(next.end() - next.sector)};
    }
    for (std::size_t slot = 0; slot < entries.size(); ++slot) put_mbr_entry(bytes, slot, entries[slot]);
    out.push_back({link.sector, std::move(bytes)});
  }
  return {};
}

}  // namespace

void put_mbr_entry(MutableByteSpan sector, std::size_t index, const MbrEntry& entry) {
  const MbrEntry now = parse_mbr_entries(sector)[index];
  if (now.flag == entry.flag && now.type == entry.type && now.start == entry.start && now.count == entry.count) return;
  const MutableByteSpan out = sector.subspan(kMbrEntriesAt + index * kMbrEntryBytes, kMbrEntryBytes);
  std::ranges::fill(out, std::byte{0});
  if (!entry.used()) return;
  out[0] = std::byte{entry.flag};
  std::ranges::copy(chs_bytes(entry.start), out.begin() + 1);
  out[4] = std::byte{entry.type};
  std::ranges::copy(chs_bytes(entry.end() - 1), out.begin() + 5);
  store_le<std::uint32_t>(out, 8, entry.start);
  store_le<std::uint32_t>(out, 12, entry.count);
}

Result<std::vector<TableSectors>> render_mbr(const Layout& layout) {
  std::uint64_t old_sectors = layout.drive_sectors;
  for (const TableSectors& piece : layout.table_sectors)
    old_sectors = std::max(old_sectors, piece.start_sector + piece.bytes.size() / layout.sector_bytes);
  const Layout before = TRY(layout_from_sectors(layout.table_sectors, old_sectors, layout.sector_bytes));
  std::vector<TableSectors> out;
  Bytes sector0 = table_sector(layout, 0);
  store_le<std::uint32_t>(sector0, kMbrSignatureAt, layout.mbr_signature);
  MbrEntries entries;
  for (const Partition& partition : layout.partitions) {
    if (partition.is_volume()) continue;
    if (partition.id < 1 || partition.id > entries.size())
      return fail(ErrorCode::corrupt, fmt::format("an MBR has no slot {}", partition.id));
    entries[partition.id - 1] = TRY(entry_of(partition, 0));
    if (!partition.extended) continue;
    const std::vector<Partition> volumes = chain_of(layout, partition);
    const Partition* const old = before.find(partition.id);
    if (old != nullptr && old->extended && old->start_sector == partition.start_sector &&
        chain_of(before, *old) == volumes)
      keep_chain(layout, partition, volumes, out);
    else
      TRY(build_chain(layout, partition, volumes, out));
  }
  for (std::size_t slot = 0; slot < entries.size(); ++slot) put_mbr_entry(sector0, slot, entries[slot]);
  std::ranges::reverse(out);
  out.push_back({0, std::move(sector0)});
  return out;
}

}  // namespace tintype
