// SPDX-License-Identifier: GPL-3.0-or-later
#include "layout/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "layout/gpt.h"
#include "layout/mbr.h"
#include "layout/table_reader.h"

namespace tintype {
namespace {

constexpr std::uint64_t kMaxFirstTrackBytes = 1024 * 1024;

void check_ends(TableReader& reader) {
  Layout& layout = reader.layout();
  for (Partition& partition : layout.partitions) {
    const std::string id = partition.id_text(layout.kind);
    partition.leaves_drive = !fits(partition.start_sector, partition.sector_count, layout.drive_sectors);
    if (partition.leaves_drive)
      reader.problem(fmt::format("Partition {} ({} sectors at {}) leaves the drive, which has {} sectors.", id,
                                 partition.sector_count, partition.start_sector, layout.drive_sectors));
    if (partition.start_sector == 0) reader.problem(fmt::format("Partition {} begins at the table itself.", id));
  }
}

// Containers overlap their volumes by nature: volumes are compared with everything but containers, primaries with
// everything but volumes.
void check_overlaps(TableReader& reader) {
  const Layout& layout = reader.layout();
  std::vector<const Partition*> order;
  for (const Partition& partition : layout.partitions) order.push_back(&partition);
  std::ranges::sort(order, {}, [](const Partition* p) { return std::pair(p->start_sector, p->id); });
  const Partition* widest = nullptr;     // the one that reaches farthest so far, containers left out
  const Partition* container = nullptr;  // the same, containers alone
  for (const Partition* partition : order) {
    const auto check = [&](const Partition* other) {
      if (other != nullptr && partition->start_sector < other->end_sector())
        reader.problem(fmt::format("Partitions {} and {} overlap.", other->id_text(layout.kind),
                                   partition->id_text(layout.kind)));
    };
    if (!partition->is_volume()) check(container);
    const bool inside = partition->extended && widest != nullptr && widest->is_volume();
    if (!inside) check(widest);
    const Partition*& farthest = partition->extended ? container : widest;
    if (farthest == nullptr || partition->end_sector() > farthest->end_sector()) farthest = partition;
  }
}

bool is_protective(const MbrEntries& entries) {
  return std::ranges::any_of(entries, [](const MbrEntry& e) { return e.type == kProtectiveType && e.used(); });
}

void read_tables(TableReader& reader, const Bytes& sector0) {
  Layout& layout = reader.layout();
  const MbrEntries entries = parse_mbr_entries(sector0);
  const bool gpt = has_mbr_magic(sector0) && is_protective(entries) && read_gpt(reader, entries);
  if (!gpt && !is_partition_table(sector0, layout.drive_sectors)) {
    layout.problems.clear();  // about a GPT that was never announced
    return;
  }
  reader.keep(0, sector0);
  layout.mbr_signature = le32(sector0, kMbrSignatureAt);
  layout.boot_code = !all_zero(ByteSpan(sector0).first(kMbrSignatureAt));
  if (!gpt) {
    layout.kind = TableKind::mbr;
    read_mbr_partitions(reader, entries);
  }
  check_ends(reader);
  check_overlaps(reader);
}

bool gpt_header_at(Drive& drive, std::uint64_t offset) {
  std::array<std::byte, 8> bytes{};
  return fits(offset, bytes.size(), drive.size_bytes()) && drive.read(offset, bytes) &&
         le64(bytes, 0) == kGptSignature;
}

}  // namespace

const char* to_string(TableKind kind) {
  switch (kind) {
    case TableKind::none: return "none";
    case TableKind::mbr: return "mbr";
    case TableKind::gpt: return "gpt";
    case TableKind::hybrid: return "hybrid";
  }
  return "none";
}

std::string Partition::id_text(TableKind table) const {
  const bool decimal = table == TableKind::none || (table != TableKind::mbr && id < kHybridOnly);
  return decimal ? fmt::format("{}", id) : fmt::format("0x{:X}", id);
}

const Partition* Layout::find(std::uint32_t id) const {
  const auto found = std::ranges::find(partitions, id, &Partition::id);
  return found == partitions.end() ? nullptr : &*found;
}

std::uint64_t Layout::first_track_sectors() const {
  if (kind == TableKind::none) return 0;
  std::uint64_t sectors = std::min(drive_sectors, kMaxFirstTrackBytes / sector_bytes);
  for (const Partition& partition : partitions) sectors = std::min(sectors, partition.start_sector);
  return std::max<std::uint64_t>(sectors, 1);
}

std::string Layout::signature_text() const {
  if (disk_guid) return guid_to_string(*disk_guid);
  return kind == TableKind::none ? std::string() : fmt::format("{:08X}", mbr_signature);
}

Result<Layout> read_layout(Drive& drive) { return read_layout(drive, drive.info().logical_sector_bytes); }

Result<Layout> read_layout(Drive& drive, std::uint32_t sector_bytes) {
  if (!std::has_single_bit(sector_bytes) || sector_bytes < 512 || sector_bytes > 65536)
    return fail(ErrorCode::unsupported, fmt::format("{} has sectors of {} bytes", drive.info().path, sector_bytes));
  Layout layout;
  layout.sector_bytes = sector_bytes;
  layout.drive_sectors = drive.size_bytes() / sector_bytes;
  if (layout.drive_sectors == 0) return layout;
  TableReader reader(drive, layout);
  auto sector0 = reader.read(0, 1);
  if (!sector0) return fail(std::move(sector0).error().within("cannot read the partition table of " + drive.info().path));
  read_tables(reader, *sector0);
  reader.finish();
  return layout;
}

std::uint32_t detect_sector_bytes(Drive& drive) {
  const std::uint64_t size = drive.size_bytes();
  bool found512 = gpt_header_at(drive, 512);
  bool found4096 = gpt_header_at(drive, 4096);
  if (!found512 && !found4096 && size >= 8192) {  // both primaries gone: the backups still tell
    found512 = gpt_header_at(drive, round_down(size, 512) - 512);
    found4096 = gpt_header_at(drive, round_down(size, 4096) - 4096);
  }
  if (found512 == found4096) return drive.info().logical_sector_bytes;
  return found4096 ? 4096 : 512;
}

Result<Layout> layout_from_sectors(const std::vector<TableSectors>& sectors, std::uint64_t drive_sectors,
                                   std::uint32_t sector_bytes) {
  const auto size = checked_mul(drive_sectors, sector_bytes);
  if (!size) return fail(ErrorCode::corrupt, fmt::format("a drive of {} sectors cannot be", drive_sectors));
  const auto drive = make_memory_drive(*size, sector_bytes);
  for (const TableSectors& piece : sectors) {
    const auto offset = checked_mul(piece.start_sector, sector_bytes);
    if (!offset) return fail(ErrorCode::corrupt, "table sectors lie behind the end of the drive");
    TRY(drive->write(*offset, piece.bytes));
  }
  return read_layout(*drive);
}

}  // namespace tintype
