// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <vector>

#include "base/cancel.h"
#include "base/extent.h"
#include "job/base_index.h"

namespace tintype {

// How the bytes in use of an area differ from those in its base.
struct UsedChanges {
  std::vector<Extent> gone;  // in use then, not now; ascending. The shortest are left out, and those behind a limit.
  bool some_came = false;    // some are in use now that were not
};

// `used`: a fresh pass over what is in use now. Compares region by region; nothing but index pages is read of the base. What is gone
// counts only in pieces of at least `least_bytes`, and as long as they are not more than `most_bytes` together.
Result<UsedChanges> used_changes(BaseIndex& base, std::size_t area, std::uint64_t area_bytes, ExtentStream& used, std::uint64_t least_bytes,
                                 std::uint64_t most_bytes, const CancelToken& cancel);

// The parts of `a` that are not in `b`; both ascending and disjoint, and so is the result.
std::vector<Extent> not_in(const std::vector<Extent>& a, const std::vector<Extent>& b);

}  // namespace tintype
