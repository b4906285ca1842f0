// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <vector>

#include "job/areas.h"
#include "job/context.h"
#include "job/damage_owners.h"
#include "plan/restore_plan.h"

namespace tintype {

struct CopyRequest {
  AreaChoice choice;                      // the source: opened, locked or known to be in use
  const std::vector<SourceArea>& areas;   // of it, as choose_areas() gave them and as the plan was made of them
  std::shared_ptr<Drive> target;          // opened for writing and locked by the caller; may be the source's drive if nothing overlaps
  RestorePlan plan;
  bool compare_after = false;
  bool allow_errors = false;              // bad sectors of either side are listed instead of asked about
  unsigned retries = 1;                   // more attempts at each sector that cannot be read
  bool fresh_target = false;              // made for this: reads as zeros, and what is left of it after a failure goes away
  bool delta = false;                     // reads the target too and writes only what differs
};

struct CopyReport {
  Outcome outcome = Outcome::complete;
  std::uint64_t written_bytes = 0;
  std::uint64_t compared_bytes = 0;    // of the target: in a delta copy, or afterwards
  std::uint64_t unreadable_bytes = 0;  // of the source: zero on the target
  std::vector<PartitionDamage> unreadable;  // of the source: the first ranges of each partition
  std::uint64_t unwritable_bytes = 0;  // of the target
};

// Copies what is in use of a drive, or of a partition of it, straight to another place, as the plan says. What reads as zeros is zeroed,
// not written, where the source or a fresh target lets us. Tables are wiped first and written last (job/carry_out.h).
Result<CopyReport> run_copy(const CopyRequest& request, JobContext& context);

}  // namespace tintype
