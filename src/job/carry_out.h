// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>

#include "job/context.h"
#include "job/target_writer.h"
#include "plan/restore_plan.h"

namespace tintype {

// Brings the data of a plan's copies to the target: out of an image, or from another drive.
class StepData {
 public:
  virtual ~StepData() = default;
  virtual void start_over() = 0;        // all is going to be written again
  virtual Result<void> copy_all() = 0;  // but for the heads that come last
  virtual Result<void> copy_head(const CopyStep& step) = 0;  // its first skip_bytes
  virtual void all_is_there() = 0;      // before anything makes the target look whole: the time for warnings
};

// Carries out a plan: old tables are wiped first; then data, heads and fixes; tables last, sector 0 at the very end, with flushes between
// that keep the order on the drive too. Where a drive tells only at a flush that writes were lost, all is written once more, to find
// out which. `unfinished`: what to say of the target if that fails or is cancelled; empty: nothing. Returns the bytes of the tables.
Result<std::uint64_t> carry_out(const RestorePlan& plan, Drive& target, TargetWriter& writer, StepData& data, JobContext& context,
                                const std::string& unfinished);

}  // namespace tintype
