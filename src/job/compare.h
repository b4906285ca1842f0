// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "image/reader.h"
#include "job/context.h"
#include "job/written_by_plan.h"
#include "plan/restore_plan.h"

namespace tintype {

struct CompareRequest {
  std::shared_ptr<ImageReader> image;
  std::shared_ptr<Drive> drive;
  RestorePlan plan;  // what lies where on the drive; bytes that its fixes and tables changed may differ
  ExtentSet excused = {};  // bytes of the drive that need not be equal and are not read: known to be unwritable
};

// Compares every byte that the image holds with the drive. Ranges that the source could not give are left out.
// Fails on read errors, damage and cancellation; differences are a report.
Result<CompareReport> run_compare(const CompareRequest& request, JobContext& context);

// Where a backup took its areas from: for comparing an image with its source.
RestorePlan source_plan(const Catalog& catalog);

}  // namespace tintype
