// SPDX-License-Identifier: GPL-3.0-or-later
// Input: flags byte, sector count (u16), then pairs of sector number (u16) and 512 bytes; what is not given is zeros. Flag 1 makes
// the update sequences of records and index blocks right again, so that mutations get past them.
#include <algorithm>
#include <cstdint>
#include <map>

#include "fs/filesystem.h"

using namespace tintype;

namespace {

constexpr std::size_t kSector = 512;
constexpr std::size_t kPiece = 2 + kSector;

// The sectors that the input gives. Whole images of some MiB would be filled, copied and thrown away for each input, and take a
// hundred times as long as the parser.
class Sectors {
 public:
  Sectors(ByteSpan input, std::size_t count) {
    for (std::size_t at = 0; at + kPiece <= input.size(); at += kPiece)
      if (const std::size_t sector = le16(input, at); sector < count)
        sectors_[sector].assign(input.begin() + static_cast<std::ptrdiff_t>(at) + 2, input.begin() + static_cast<std::ptrdiff_t>(at + kPiece));
  }

  void repair_fixups() {
    for (auto& [number, first] : sectors_) {
      const auto magic = as_text(ByteSpan(first).first(4));
      if (magic != "FILE" && magic != "INDX") continue;
      const std::size_t array = le16(first, 4);
      const std::size_t count = le16(first, 6);
      if (array + 2 > kSector - 2 || count < 2) continue;
      const std::uint16_t mark = le16(first, array);
      for (std::size_t i = 1; i < count; ++i)
        if (const auto piece = sectors_.find(number + i - 1); piece != sectors_.end()) store_le(piece->second, kSector - 2, mark);
    }
  }

  bool write_to(Drive& drive) const {
    return std::ranges::all_of(sectors_, [&](const auto& each) { return drive.write(each.first * kSector, each.second).has_value(); });
  }

 private:
  std::map<std::size_t, Bytes> sectors_;
};

void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteSpan input(reinterpret_cast<const std::byte*>(data), size);
  if (size < 3) return 0;
  const std::size_t sectors = std::min<std::size_t>(le16(input, 1), 8192);
  Sectors given(input.subspan(3), sectors);
  if (u8(input, 0) & 1) given.repair_fixups();
  const auto drive = make_memory_drive(sectors * kSector);
  require(given.write_to(*drive));

  const auto fs = open_file_system(drive);
  require(fs.has_value());
  const FsInfo& info = (*fs)->info();
  require(info.used_map_known || info.type == FsType::unknown || !info.warning.empty());
  const auto stream = (*fs)->used_map();
  if (!stream) return 0;
  const auto map = collect(**stream);
  if (!map) return 0;  // damage found late: the caller starts again with everything
  require(map->end() <= drive->size_bytes());
  if (info.type == FsType::ntfs) require(map->end() == info.last_used_byte);
  const auto files = (*fs)->left_out_files();
  if (!files) return 0;
  for (const LeftOutFile& file : *files)
    for (const Extent& extent : file.extents.items()) require(map->clipped(extent).total_bytes() == extent.length);
  return 0;
}
