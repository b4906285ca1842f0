// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>

#include "base/result.h"
#include "drive/drive.h"

namespace tintype {

// In builds with TINTYPE_TEST_HOOKS: wraps the drive in the faults that $TINTYPE_TEST_FAULTS has for its path (see
// parse_faults()), so that tests can make drives fail under the real program. Otherwise: the drive itself.
Result<std::shared_ptr<Drive>> with_test_faults(std::shared_ptr<Drive> drive);

}  // namespace tintype
