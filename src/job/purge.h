// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "job/context.h"
#include "job/image_folder.h"

namespace tintype {

struct PurgeReport {
  std::vector<std::string> removed;    // first parts, as FoundSet::file
  std::vector<std::string> failed;     // a sentence for each set that was to go and stays
  std::uint64_t freed_bytes = 0;
};

// Deletes the sets for which the decision is not to keep, those that others build on after those others; a set that another
// one still there needs is never touched, whatever the decision. Each set vanishes by one rename of its first part to
// purged_name(); the other files follow, the renamed part goes last, so that the next purge can finish what was cut off. A set
// whose lock somebody holds or that somebody reads, or that is no longer what the scan saw, stays. What an earlier purge left is removed first.
// Errors: cancelled; what fails about single sets is in the report.
Result<PurgeReport> run_purge(const std::shared_ptr<Place>& place, const ImageFolder& folder,
                              const std::vector<Retention>& decisions, JobContext& context);

}  // namespace tintype
