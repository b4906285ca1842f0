// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/ext/checksum.h"

#include <array>

namespace tintype::ext {
namespace {

using Table = std::array<std::uint32_t, 256>;

// Eight tables, so that eight bytes go in one step: bitmaps of a 16 TiB volume are 512 MiB to check.
constexpr std::array<Table, 8> make_tables() {
  std::array<Table, 8> tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0x82F63B78u : 0u);
    tables[0][i] = crc;
  }
  for (std::size_t k = 1; k < 8; ++k)
    for (std::size_t i = 0; i < 256; ++i)
      tables[k][i] = (tables[k - 1][i] >> 8) ^ tables[0][tables[k - 1][i] & 0xFFu];
  return tables;
}
constexpr std::array<Table, 8> kTables = make_tables();

}  // namespace

std::uint32_t crc32c(std::uint32_t state, ByteSpan bytes) {
  std::size_t at = 0;
  for (; bytes.size() - at >= 8; at += 8) {
    const std::uint64_t word = le64(bytes, at) ^ state;
    state = 0;
    for (std::size_t k = 0; k < 8; ++k) state ^= kTables[7 - k][(word >> (8 * k)) & 0xFFu];
  }
  for (; at < bytes.size(); ++at) state = (state >> 8) ^ kTables[0][(state ^ u8(bytes, at)) & 0xFFu];
  return state;
}

std::uint32_t crc32c_le32(std::uint32_t state, std::uint32_t value) {
  std::array<std::byte, 4> bytes{};
  store_le<std::uint32_t>(bytes, 0, value);
  return crc32c(state, bytes);
}

std::uint16_t crc16(std::uint16_t state, ByteSpan bytes) {
  unsigned crc = state;
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<unsigned>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0xA001u : 0u);
  }
  return static_cast<std::uint16_t>(crc);
}

}  // namespace tintype::ext
