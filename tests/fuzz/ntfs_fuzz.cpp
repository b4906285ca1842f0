// SPDX-License-Identifier: GPL-3.0-or-later
// Input: flags byte, sector count (u16), then pairs of sector number (u16) and 512 bytes; what is not given is zeros. Flag 1 makes
// the update sequences of records and index blocks right again, so that mutations get past them.
#include <algorithm>
#include <cstdint>

#include "fs/filesystem.h"

using namespace tintype;

namespace {

constexpr std::size_t kSector = 512;
constexpr std::size_t kPiece = 2 + kSector;

void repair_fixups(Bytes& image) {
  const MutableByteSpan all(image);
  for (std::size_t at = 0; at + kSector <= image.size(); at += kSector) {
    const MutableByteSpan rest = all.subspan(at);
    const auto magic = as_text(rest.first(4));
    if (magic != "FILE" && magic != "INDX") continue;
    const std::size_t array = le16(rest, 4);
    const std::size_t count = le16(rest, 6);
    if (array + 2 > kSector - 2 || count < 2 || (count - 1) * kSector > rest.size()) continue;
    for (std::size_t i = 1; i < count; ++i) store_le<std::uint16_t>(rest, i * kSector - 2, le16(rest, array));
  }
}

void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteSpan input(reinterpret_cast<const std::byte*>(data), size);
  if (size < 3) return 0;
  const std::size_t sectors = std::min<std::size_t>(le16(input, 1), 8192);
  Bytes image(sectors * kSector);
  for (std::size_t at = 3; at + kPiece <= size; at += kPiece) {
    const std::size_t sector = le16(input, at);
    if (sector < sectors) std::copy_n(input.begin() + static_cast<std::ptrdiff_t>(at) + 2, kSector, image.begin() + static_cast<std::ptrdiff_t>(sector * kSector));
  }
  if (u8(input, 0) & 1) repair_fixups(image);
  const auto drive = make_memory_drive(image.size());
  require(drive->write(0, image).has_value());

  const auto fs = open_file_system(drive);
  require(fs.has_value());
  const FsInfo& info = (*fs)->info();
  require(info.used_map_known || info.type == FsType::unknown || !info.warning.empty());
  const auto stream = (*fs)->used_map();
  if (!stream) return 0;
  const auto map = collect(**stream);
  if (!map) return 0;  // damage found late: the caller starts again with everything
  require(map->end() <= image.size());
  if (info.type == FsType::ntfs) require(map->end() == info.last_used_byte);
  const auto files = (*fs)->left_out_files();
  if (!files) return 0;
  for (const LeftOutFile& file : *files)
    for (const Extent& extent : file.extents.items()) require(map->clipped(extent).total_bytes() == extent.length);
  return 0;
}
