// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/cbor_guard.h"

#include <vector>

namespace tintype {

bool cbor_is_modest(ByteSpan cbor, unsigned max_depth, std::uint64_t max_items) {
  std::vector<std::uint64_t> left = {1};  // items still to come at each level
  for (std::size_t at = 0; !left.empty();) {
    if (left.back() == 0) {
      left.pop_back();
      continue;
    }
    --left.back();
    if (at >= cbor.size() || max_items-- == 0) return false;
    const std::uint8_t head = u8(cbor, at++);
    const unsigned major = head >> 5;
    const unsigned info = head & 31;
    std::uint64_t argument = info;
    if (info >= 24) {
      if (info > 27) return false;
      const std::size_t size = std::size_t{1} << (info - 24);
      if (cbor.size() - at < size) return false;
      argument = 0;
      for (std::size_t i = 0; i < size; ++i) argument = (argument << 8) | u8(cbor, at++);
    }
    switch (major) {
      case 2:
      case 3:
        if (argument > cbor.size() - at) return false;
        at += argument;
        break;
      case 4:
      case 5:
        // Every item takes at least one byte, which bounds the counts as well.
        if (argument > cbor.size() || left.size() > max_depth) return false;
        left.push_back(major == 5 ? argument * 2 : argument);
        break;
      case 6: return false;
      default: break;
    }
  }
  return true;
}

}  // namespace tintype
