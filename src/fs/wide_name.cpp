// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/wide_name.h"

#include <cstdint>

namespace tintype {
namespace {

bool high(std::uint32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool low(std::uint32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

void append(std::string& out, std::uint32_t c) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | c >> 12);
    tail(6), tail(0);
  } else {
    out += static_cast<char>(0xF0 | c >> 18);
    tail(12), tail(6), tail(0);
  }
}

}  // namespace

std::string name_of_utf16(std::u16string_view units) {
  std::string out;
  for (std::size_t i = 0; i < units.size(); ++i) {
    std::uint32_t c = units[i];
    if (high(c) && i + 1 < units.size() && low(units[i + 1])) c = 0x10000 + ((c - 0xD800) << 10) + (units[++i] - 0xDC00U);
    append(out, c);
  }
  return out;
}

std::u16string utf16_of_name(std::string_view name) {
  std::u16string out;
  for (std::size_t i = 0; i < name.size();) {
    const auto lead = static_cast<unsigned char>(name[i++]);
    const std::size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC2 ? 1 : 0;
    std::uint32_t c = lead < 0x80 ? lead : lead & (0x3FU >> more);
    bool sound = (lead < 0x80 || more > 0) && lead < 0xF5 && more <= name.size() - i;
    for (std::size_t k = 0; sound && k < more; ++k) {
      const auto byte = static_cast<unsigned char>(name[i + k]);
      sound = (byte & 0xC0) == 0x80;
      c = c << 6 | (byte & 0x3FU);
    }
    if (!sound || c > 0x10FFFF) {
      out += char16_t{0xFFFD};
      continue;
    }
    i += more;
    if (c < 0x10000) {
      out += static_cast<char16_t>(c);
    } else {
      out += static_cast<char16_t>(0xD800 + ((c - 0x10000) >> 10));
      out += static_cast<char16_t>(0xDC00 + ((c - 0x10000) & 0x3FF));
    }
  }
  return out;
}

}  // namespace tintype
