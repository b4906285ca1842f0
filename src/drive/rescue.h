// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <chrono>

#include "base/cancel.h"
#include "base/extent.h"
#include "base/result.h"
#include "drive/drive.h"

namespace tintype {

struct RescuePolicy {
  unsigned retries = 1;              // more attempts at each piece that stays bad
  std::uint32_t smallest_bytes = 0;  // size of the pieces at last; 0: the drive's logical sector
  std::chrono::milliseconds time_limit{30'000};  // for one call; what has not been read by then counts as bad
  const CancelToken* cancel = nullptr;           // asked between reads
};

// Whether an error says that bytes cannot be had, of a failing drive, or of a drive that is a damaged image, and nothing else is wrong.
inline bool is_unreadable(const Error& error) { return error.code == ErrorCode::io || error.code == ErrorCode::corrupt; }

// Reads what can be read of a range, such as one chunk. Unreadable pieces are filled with zeros and returned, as positions on the
// drive; an empty set means that all is well (which costs one plain read). Errors: only what is no read error (out_of_bounds, cancelled …).
// The drive sees: one large read; if it fails, blocks with growing jumps over what fails; both edges of what is left;
// then halves down to single sectors; then the retries.
Result<ExtentSet> rescue_read(Drive& drive, std::uint64_t offset, MutableByteSpan out, const RescuePolicy& policy = {});

}  // namespace tintype
