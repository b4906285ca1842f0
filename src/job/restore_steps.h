// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <vector>

#include "base/extent.h"
#include "plan/restore_plan.h"

namespace tintype {

// The parts of `used` (bytes of the area) that a step writes.
std::vector<Extent> clip_to_step(const std::vector<Extent>& used, const CopyStep& step);

// The bytes of the target that a fix changes: the field in the boot sector and in its backup, each only if it is one. Reads the
// target; to be asked when the data is there.
Result<std::vector<Extent>> fields_on(Drive& target, const HiddenSectorsFix& fix);

// Bytes of an area that are cleared because a left-out file begins there: the first 4096 of a page file, the first 8192 of a
// hibernation file (FEATURES G23), so that nothing takes old data for a live one.
std::vector<Extent> cleared_ranges(const Area& area);

}  // namespace tintype
