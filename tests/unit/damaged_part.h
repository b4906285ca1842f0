// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "image/format.h"
#include "job/salvage.h"

namespace tintype::test {

constexpr std::uint32_t kTouched = ~std::uint32_t{0};

// A part file that remembers where each of its bytes comes from.
struct Part {
  Bytes bytes;
  std::vector<std::uint32_t> origin;
  bool there = true;

  explicit Part(Bytes content) : bytes(std::move(content)), origin(bytes.size()) {
    for (std::size_t i = 0; i < origin.size(); ++i) origin[i] = static_cast<std::uint32_t>(i);
  }
  void flip(std::size_t at) {
    bytes[at] ^= std::byte{0x10};
    origin[at] = kTouched;
  }
  void overwrite(std::size_t at, std::size_t count) {
    for (std::size_t i = at; i < std::min(at + count, bytes.size()); ++i) {
      bytes[i] = std::byte{0xEE};
      origin[i] = kTouched;
    }
  }
  void cut(std::size_t at, std::size_t count) {
    count = std::min(count, bytes.size() - at);
    bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.begin() + static_cast<std::ptrdiff_t>(at + count));
    origin.erase(origin.begin() + static_cast<std::ptrdiff_t>(at), origin.begin() + static_cast<std::ptrdiff_t>(at + count));
  }
  bool holds(std::uint64_t offset, std::uint64_t count) const {
    const auto at = std::ranges::find(origin, offset);
    if (!there || static_cast<std::uint64_t>(origin.end() - at) < count) return false;
    for (std::uint64_t i = 0; i < count; ++i)
      if (at[static_cast<std::ptrdiff_t>(i)] != offset + i) return false;
    return true;
  }
};

// One of the ways in which files come to harm, chosen by 16 bytes of chance: a number below 15 says which, the third and fourth
// word where and how much.
inline void damage(Part& part, ByteSpan dice) {
  if (part.bytes.empty()) return;
  const std::uint32_t kind = le32(dice, 0) % 15;
  const std::size_t at = le32(dice, 8) % part.bytes.size();
  const std::size_t length = 1 + le32(dice, 12) % 300000;
  if (kind < 6) part.flip(at);
  else if (kind < 9) part.overwrite(at, length);
  else if (kind < 11) part.cut(at, length);
  else if (kind == 11) part.cut(at, part.bytes.size());
  else if (kind == 12) part.overwrite(0, kPartHeaderBytes);
  else if (kind == 13) part.there = false;
  else part.cut(0, length);
}

inline bool covers(const SalvageExtents& extents, Extent wanted) {
  return std::ranges::any_of(extents.listed, [&](const Extent& e) { return e.start <= wanted.start && e.end() >= wanted.end(); });
}
inline bool meets(const SalvageExtents& extents, Extent other) {
  return std::ranges::any_of(extents.listed, [&](const Extent& e) { return e.start < other.end() && other.start < e.end(); });
}

}  // namespace tintype::test
