// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "image/reader.h"
#include "job/context.h"
#include "plan/restore_plan.h"

namespace tintype {

struct RestoreRequest {
  std::shared_ptr<ImageReader> image;
  std::shared_ptr<Drive> target;  // opened for writing and locked by the caller
  RestorePlan plan;
  bool validate_first = false;
  bool compare_after = false;
  bool allow_errors = false;      // unwritable sectors are listed instead of asked about
  bool multi_pass = false;        // goes through a chain image by image, oldest first
  bool fresh_target = false;      // made for this: what is left of it after a failure goes away
  bool delta = false;             // reads the target first and writes only what differs; also after a restore that was cut off
};

struct RestoreReport {
  Outcome outcome = Outcome::complete;
  std::uint64_t written_bytes = 0;
  std::uint64_t compared_bytes = 0;  // of the target, in a delta restore
  std::uint64_t unwritable_bytes = 0;
};

// Carries out a plan. Tables are wiped first and written last, so that a target that was not finished does not look
// whole. Every chunk is checked before it is written. Where a drive tells only at a flush that writes were lost, all is written
// once more to find out which.
Result<RestoreReport> run_restore(const RestoreRequest& request, JobContext& context);

}  // namespace tintype
