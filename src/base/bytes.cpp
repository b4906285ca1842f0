// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/bytes.h"

namespace tintype {

bool all_zero(ByteSpan bytes) {
  // A span is zero if its first bytes are and it equals itself shifted by them; memcmp is vectorised.
  constexpr std::size_t kHead = 16;
  const std::size_t head = bytes.size() < kHead ? bytes.size() : kHead;
  for (std::size_t i = 0; i < head; ++i)
    if (bytes[i] != std::byte{0}) return false;
  if (bytes.size() <= kHead) return true;
  return std::memcmp(bytes.data(), bytes.data() + kHead, bytes.size() - kHead) == 0;
}

}  // namespace tintype
