// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <vector>

#include "job/chunk_planner.h"
#include "job/copy.h"
#include "job/written_by_plan.h"

namespace tintype {

// Requests of a copy: large enough to keep drives streaming, small enough to stay in the cache of a core between read and write.
inline constexpr std::uint64_t kCopyBytes = 1U << 20;

// The next chunk of which a step takes something, cut to that; nothing at the end.
Result<std::optional<PlannedChunk>> next_wanted(ChunkPlanner& planner, const CopyStep& step);

// Compares every byte that a copy was to bring with what its target holds. `unreadable`: for each area what the source could not give;
// `unwritable`: bytes of the target. Fails on read errors and cancellation; differences are a report.
Result<CompareReport> compare_copy(const CopyRequest& request, const std::vector<ExtentSet>& unreadable, const ExtentSet& unwritable,
                                   JobContext& context);

}  // namespace tintype
