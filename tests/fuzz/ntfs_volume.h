// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <algorithm>
#include <cstdint>
#include <map>

#include "drive/drive.h"

namespace tintype::fuzz {

// A volume as an input: flags byte, sector count (u16), then pairs of sector number (u16) and 512 bytes; what is not given is zeros. Flag 1
// makes the update sequences of records and index blocks right again, so that mutations get past them.
inline constexpr std::size_t kSector = 512;
inline constexpr std::size_t kPiece = 2 + kSector;

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

// Null if the input is too short.
inline std::shared_ptr<Drive> ntfs_volume_of(ByteSpan input) {
  if (input.size() < 3) return nullptr;
  const std::size_t sectors = std::min<std::size_t>(le16(input, 1), 8192);
  Sectors given(input.subspan(3), sectors);
  if (u8(input, 0) & 1) given.repair_fixups();
  auto drive = make_memory_drive(sectors * kSector);
  if (!given.write_to(*drive)) __builtin_trap();
  return drive;
}

}  // namespace tintype::fuzz
