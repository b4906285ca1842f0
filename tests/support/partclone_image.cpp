// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/partclone_image.h"

#include <algorithm>
#include <string_view>

namespace tintype::test {
namespace {

// Bit by bit, as the polynomial says.
std::uint32_t crc_of_byte(std::uint32_t state, std::uint8_t byte) {
  state ^= byte;
  for (int i = 0; i < 8; ++i) state = (state & 1U) != 0 ? state >> 1 ^ 0xEDB88320U : state >> 1;
  return state;
}

class Out {
 public:
  Bytes bytes;
  void text(std::string_view words, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) bytes.push_back(i < words.size() ? static_cast<std::byte>(words[i]) : std::byte{0});
  }
  void number(std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i) bytes.push_back(static_cast<std::byte>(value >> 8 * i & 0xFF));
  }
  std::uint32_t crc(std::size_t from) const {
    std::uint32_t state = 0xFFFFFFFF;
    for (std::size_t i = from; i < bytes.size(); ++i) state = crc_of_byte(state, static_cast<std::uint8_t>(bytes[i]));
    return state;
  }
};

}  // namespace

Bytes PartcloneMaker::make(ByteSpan content) const {
  Out out;
  const std::uint64_t total = used.size();
  const auto held = static_cast<std::uint64_t>(std::count(used.begin(), used.end(), true));
  const std::uint64_t device = device_bytes != 0 ? device_bytes : total * block_bytes;
  if (version == 1) {
    out.text("partclone-image", 15);
    out.text("EXTFS", 15);
    out.text("0001", 6);
    out.number(block_bytes, 4);
    for (const std::uint64_t value : {device, total, held}) out.number(value, 8);
    out.text("", 4096);
    for (const bool bit : used) out.number(bit ? 1 : 0, 1);
    out.text("BiTmAgIc", 8);
  } else {
    out.text("partclone-image", 16);
    out.text("0.3.23", 14);
    out.text("0002", 4);
    out.number(0xC0DE, 2);
    out.text("EXTFS", 16);
    for (const std::uint64_t value : {device, total, held, held}) out.number(value, 8);
    out.number(block_bytes, 4);
    out.number(18, 4);
    out.number(2, 2);
    out.number(64, 2);
    out.number(checksum_mode, 2);
    out.number(checksum_mode != 0 ? 4 : 0, 2);
    out.number(checksum_mode != 0 ? blocks_per_checksum : 0, 4);
    out.number(reseed ? 1 : 0, 1);
    out.number(1, 1);
    out.number(out.crc(0), 4);
    const std::size_t map = out.bytes.size();
    for (std::size_t i = 0; i < total; i += 8) {
      unsigned byte = 0;
      for (std::size_t bit = 0; bit < 8 && i + bit < total; ++bit) byte |= (used[i + bit] ? 1U : 0U) << bit;
      out.number(byte, 1);
    }
    out.number(out.crc(map), 4);
  }
  std::uint32_t state = 0xFFFFFFFF;
  std::uint64_t in_strip = 0, done = 0;
  for (std::size_t block = 0; block < total; ++block) {
    if (!used[block]) continue;
    const ByteSpan data = content.subspan(block * block_bytes, block_bytes);
    out.bytes.insert(out.bytes.end(), data.begin(), data.end());
    ++done;
    if (version == 1) {
      for (std::size_t i = 0; i < block_bytes; ++i) state = crc_of_byte(state, static_cast<std::uint8_t>(data[0]));
      out.number(state, 4);
      out.number(0xBAD0BAD, static_cast<int>(v1_checksum_bytes) - 4);
    } else if (checksum_mode != 0) {
      for (const std::byte byte : data) state = crc_of_byte(state, static_cast<std::uint8_t>(byte));
      if (++in_strip == blocks_per_checksum || done == held) {
        out.number(state, 4);
        in_strip = 0;
        if (reseed) state = 0xFFFFFFFF;
      }
    }
  }
  return out.bytes;
}

Bytes PartcloneMaker::expected(ByteSpan content) const {
  Bytes bytes(static_cast<std::size_t>(device_bytes != 0 ? device_bytes : used.size() * block_bytes));
  for (std::size_t block = 0; block < used.size(); ++block)
    if (used[block]) std::ranges::copy(content.subspan(block * block_bytes, block_bytes), bytes.begin() + static_cast<std::ptrdiff_t>(block * block_bytes));
  return bytes;
}

}  // namespace tintype::test
