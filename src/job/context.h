// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "base/cancel.h"
#include "base/environment.h"
#include "base/events.h"

namespace tintype {

// What every operation runs with. The references outlive the operation.
struct JobContext {
  Events& events;
  const CancelToken& cancel;
  Clock& clock;
  Random& random;
  unsigned workers = 0;  // 0: as many as there are processors; output does not depend on it
};

// How an operation that did not fail ended.
enum class Outcome {
  complete,
  with_bad_sectors,  // done, but some sectors could not be read or written; they were listed as messages
};

}  // namespace tintype
