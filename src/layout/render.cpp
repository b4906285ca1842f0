// SPDX-License-Identifier: GPL-3.0-or-later
#include "layout/render.h"

#include <fmt/format.h>

#include <algorithm>

#include "layout/gpt.h"
#include "layout/write.h"

namespace tintype {
namespace {

// Numbers that a backup array and header take at the end of the drive.
std::uint64_t backup_sectors(const Layout& layout) { return 1 + gpt_array_sectors(*layout.gpt, layout.sector_bytes); }

Error too_small(const Layout& layout, const Partition& partition, std::uint64_t target_sectors, std::uint64_t usable) {
  return make_error(ErrorCode::no_space,
                    fmt::format("partition {} ends at sector {}, but the target has {} sectors ({}), {} of them usable",
                                partition.id_text(layout.kind), partition.end_sector(), target_sectors,
                                format_size(target_sectors * layout.sector_bytes), usable),
                    "use a larger target");
}

bool cut_off(const Layout& layout, std::uint64_t target_sectors) {
  return target_sectors == layout.drive_sectors &&
         std::ranges::any_of(layout.partitions, &Partition::leaves_drive);
}

std::vector<TableSectors> one_by_one(const Layout& layout) {
  std::vector<TableSectors> out;
  for (const TableSectors& piece : layout.table_sectors)
    for (std::size_t at = 0; at < piece.bytes.size(); at += layout.sector_bytes) {
      const auto from = piece.bytes.begin() + static_cast<std::ptrdiff_t>(at);
      out.push_back({piece.start_sector + at / layout.sector_bytes,
                     Bytes(from, from + static_cast<std::ptrdiff_t>(layout.sector_bytes))});
    }
  std::ranges::reverse(out);
  return out;
}

}  // namespace

std::optional<Bytes> raw_sectors(const Layout& layout, std::uint64_t sector, std::uint64_t count) {
  for (const TableSectors& piece : layout.table_sectors) {
    const std::uint64_t have = piece.bytes.size() / layout.sector_bytes;
    if (sector < piece.start_sector || !fits(sector - piece.start_sector, count, have)) continue;
    const auto from = piece.bytes.begin() +
                      static_cast<std::ptrdiff_t>((sector - piece.start_sector) * layout.sector_bytes);
    return Bytes(from, from + static_cast<std::ptrdiff_t>(count * layout.sector_bytes));
  }
  return std::nullopt;
}

std::optional<Bytes> raw_sector(const Layout& layout, std::uint64_t sector) { return raw_sectors(layout, sector, 1); }

Result<Layout> layout_on_drive(Layout layout, std::uint64_t target_sectors) {
  std::uint64_t usable = target_sectors;
  if (layout.gpt && target_sectors != layout.drive_sectors) {
    const std::uint64_t back = backup_sectors(layout);
    usable = target_sectors > back ? target_sectors - back : 0;
    layout.gpt->last_usable_sector = usable == 0 ? 0 : usable - 1;
  }
  for (Partition& partition : layout.partitions) {
    const std::uint64_t on_drive = std::min(partition.end_sector(), layout.drive_sectors);
    if (on_drive > usable) return fail(too_small(layout, partition, target_sectors, usable));
    partition.leaves_drive = !fits(partition.start_sector, partition.sector_count, target_sectors);
  }
  layout.drive_sectors = target_sectors;
  return layout;
}

Result<std::vector<TableSectors>> render_tables(const Layout& layout, std::uint64_t target_sectors) {
  if (layout.kind == TableKind::none) return std::vector<TableSectors>{};
  if (cut_off(layout, target_sectors) && !layout.table_sectors.empty()) return one_by_one(layout);
  const Layout placed = TRY(layout_on_drive(layout, target_sectors));
  return layout.kind == TableKind::mbr ? render_mbr(placed) : render_gpt(placed);
}

std::vector<TableSectors> clear_tables(const Layout& layout) {
  std::vector<TableSectors> out = one_by_one(layout);
  for (TableSectors& piece : out) {
    const std::size_t keep = piece.start_sector == 0 ? kMbrSignatureAt : 0;
    std::fill(piece.bytes.begin() + static_cast<std::ptrdiff_t>(keep), piece.bytes.end(), std::byte{0});
  }
  return out;
}

}  // namespace tintype
