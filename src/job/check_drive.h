// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "drive/drive.h"
#include "job/context.h"
#include "job/validate.h"

namespace tintype {

// Reads all that a drive holds, in order, for drives whose reads verify checksums (images of other programs). Goes on after damage; ranges
// are bytes of the drive, of 1 MiB at most. Errors: cancelled, and a drive that cannot say what it holds.
Result<ValidateReport> check_drive(Drive& drive, JobContext& context);

}  // namespace tintype
