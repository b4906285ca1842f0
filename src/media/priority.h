// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "base/result.h"

namespace tintype {

// How much of the machine an operation may take beside other programs.
struct Priority {
  enum class Level { low, below_normal, normal, above_normal, high };
  Level level = Level::normal;
  bool background = false;  // reads and writes only when nobody else does; the processor in longer, rarer turns
};

// Sets it for the calling thread and for every thread that this one starts later; so: before the workers are started.
// Does as much as the system allows. Error{denied} if a part was refused (asking for more than one has needs rights).
Result<void> set_priority(const Priority& priority);

}  // namespace tintype
