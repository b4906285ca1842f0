// SPDX-License-Identifier: GPL-3.0-or-later
// Tables of every kind on a small drive. Input: a byte of flags (1: sectors of 4096 bytes, 2: make the GPT checksums
// right, 4: write the magic into every placed sector), then records of a 16-bit sector number and the first 512 bytes
// of that sector. Checked beside crashes: kept sectors ascend and lie on the drive, what is rendered reads back the same.
#include <algorithm>
#include <array>

#include "layout/crc32.h"
#include "layout/edit.h"
#include "layout/render.h"

namespace {
using namespace tintype;

constexpr std::uint64_t kSectors = 4096;
constexpr std::size_t kRecordBytes = 512;

void fix_checksums(Drive& drive, std::uint64_t at, std::uint32_t sector_bytes) {
  Bytes header(sector_bytes);
  if (!drive.read(at * sector_bytes, header) || as_text(header).substr(0, 8) != "EFI PART") return;
  store_le<std::uint64_t>(header, 24, at);
  const std::uint64_t bytes = std::uint64_t{le32(header, 80)} * le32(header, 84);
  const auto offset = checked_mul(le64(header, 72), sector_bytes);
  if (bytes <= 1 << 20 && offset && fits(*offset, bytes, drive.size_bytes())) {
    Bytes array(bytes);
    if (drive.read(*offset, array)) store_le<std::uint32_t>(header, 88, crc32(array));
  }
  const std::uint32_t header_bytes = std::min(le32(header, 12), sector_bytes);
  store_le<std::uint32_t>(header, 16, 0);
  store_le<std::uint32_t>(header, 16, crc32(ByteSpan(header).first(header_bytes)));
  static_cast<void>(drive.write(at * sector_bytes, header));
}

void require(bool truth) {
  if (!truth) __builtin_trap();
}

void check_render(const Layout& layout, std::uint64_t target_sectors) {
  const auto pieces = render_tables(layout, target_sectors);
  if (!pieces || pieces->empty()) return;
  require(pieces->back().start_sector == 0);
  for (const TableSectors& piece : *pieces)
    require(fits(piece.start_sector, piece.bytes.size() / layout.sector_bytes, target_sectors));
  if (!layout.problems.empty()) return;
  const auto again = layout_from_sectors(*pieces, target_sectors, layout.sector_bytes);
  require(again && again->partitions == layout.partitions && again->kind == layout.kind);
  require(again->disk_guid == layout.disk_guid && again->mbr_signature == layout.mbr_signature);
}

void check_edits(const Layout& layout) {
  for (const FreeSpace& space : free_space(layout, 8))
    require(fits(space.start_sector, space.sector_count, layout.drive_sectors));
  SeededRandom random(7);
  Partition wanted;
  wanted.sector_count = 16;
  wanted.mbr_type = 0x83;
  Placement placement;
  placement.alignment_sectors = 8;
  if (const auto added = add_partition(layout, wanted, placement, random)) check_render(added->layout, layout.drive_sectors);
  if (layout.partitions.empty()) return;
  if (const auto removed = remove_partition(layout, layout.partitions.back().id))
    check_render(*removed, layout.drive_sectors);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::uint8_t flags = data[0];
  ByteSpan rest(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  const std::uint32_t sector_bytes = (flags & 1) != 0 ? 4096 : 512;
  const auto drive = make_memory_drive(kSectors * sector_bytes, sector_bytes);
  while (rest.size() > 2) {
    const std::uint64_t sector = le16(rest, 0) % kSectors;
    rest = rest.subspan(2);
    Bytes record(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(std::min(rest.size(), kRecordBytes)));
    rest = rest.subspan(record.size());
    record.resize(kRecordBytes);
    if ((flags & 4) != 0) store_le<std::uint16_t>(record, 510, 0xAA55);
    static_cast<void>(drive->write(sector * sector_bytes, record));
  }
  if ((flags & 2) != 0) {
    fix_checksums(*drive, 1, sector_bytes);
    fix_checksums(*drive, kSectors - 1, sector_bytes);
  }
  const auto layout = read_layout(*drive);
  require(layout.has_value());
  std::uint64_t end = 0;
  for (const TableSectors& piece : layout->table_sectors) {
    require(piece.start_sector >= end && !piece.bytes.empty() && piece.bytes.size() % sector_bytes == 0);
    end = piece.start_sector + piece.bytes.size() / sector_bytes;
    require(end <= kSectors);
  }
  static_cast<void>(detect_sector_bytes(*drive));
  check_render(*layout, kSectors);
  check_render(*layout, kSectors * 2);
  check_edits(*layout);
  return 0;
}
