// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <algorithm>
#include <span>

#include "image/format.h"

namespace tintype {

// How large the frame of a delta may be that builds on these frames; 0: it must not. All deltas together stay smaller than the state
// that they start from: so reading a chunk never costs more than twice.
inline std::uint64_t room_for_delta(std::span<const FramePlace> bases) {
  if (bases.empty()) return 0;
  const std::uint64_t root = bases.front().bytes;
  std::uint64_t spent = root / 4;
  for (const FramePlace& delta : bases.subspan(1)) spent += delta.bytes;
  return root - std::min(spent, root);
}

}  // namespace tintype
