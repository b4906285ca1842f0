// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/upcase_fold.h"

#include <cstdint>

namespace tintype {
namespace {

// Of code points below U+0800, which take two bytes in UTF-8 in either case.
std::uint32_t upper(std::uint32_t c) {
  const auto between = [c](std::uint32_t first, std::uint32_t last) { return c >= first && c <= last; };
  if (between(0xE0, 0xFE) && c != 0xF7) return c - 32;
  if (c == 0xFF) return 0x178;
  if ((between(0x100, 0x137) && c != 0x131) || between(0x14A, 0x177) || between(0x1DE, 0x1EF) || between(0x1F8, 0x21F) ||
      between(0x222, 0x233) || between(0x370, 0x373) || between(0x3D8, 0x3EF) || between(0x460, 0x481) || between(0x48A, 0x4BF) ||
      between(0x4D0, 0x52F))
    return c & ~1U;
  if (between(0x139, 0x148) || between(0x179, 0x17E) || between(0x1CD, 0x1DC) || between(0x4C1, 0x4CE)) return c % 2 == 0 ? c - 1 : c;
  if (c == 0x3AC) return 0x386;
  if (between(0x3AD, 0x3AF)) return c - 37;
  if (c == 0x3C2) return 0x3A3;
  if (between(0x3B1, 0x3CB)) return c - 32;
  if (c == 0x3CC) return 0x38C;
  if (between(0x3CD, 0x3CE)) return c - 63;
  if (between(0x430, 0x44F)) return c - 32;
  if (between(0x450, 0x45F)) return c - 80;
  if (between(0x561, 0x586)) return c - 48;
  return c;
}

}  // namespace

std::string folded_name(const std::string& utf8) {
  std::string out;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    if (byte >= 'a' && byte <= 'z') {
      out += static_cast<char>(byte - 32);
    } else if (byte >= 0xC2 && byte <= 0xDF && i + 1 < utf8.size()) {
      const std::uint32_t c = upper((byte & 0x1FU) << 6 | (static_cast<unsigned char>(utf8[++i]) & 0x3FU));
      out += static_cast<char>(0xC0 | c >> 6);
      out += static_cast<char>(0x80 | (c & 0x3F));
    } else {
      out += utf8[i];
    }
  }
  return out;
}

}  // namespace tintype
