// SPDX-License-Identifier: GPL-3.0-or-later
#include "layout/crc32.h"

#include <array>

namespace tintype {
namespace {

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xEDB88320U : 0U);
    table[i] = value;
  }
  return table;
}

constexpr auto kTable = make_table();

}  // namespace

std::uint32_t crc32(ByteSpan bytes) {
  std::uint32_t value = 0xFFFFFFFFU;
  for (const std::byte b : bytes) value = (value >> 8) ^ kTable[(value ^ std::to_integer<std::uint32_t>(b)) & 0xFF];
  return ~value;
}

}  // namespace tintype
