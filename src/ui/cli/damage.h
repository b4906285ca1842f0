// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>

#include "base/events.h"
#include "job/validate.h"
#include "ui/cli/listener.h"

namespace tintype::cli {

// "pc.tti.1: chunk 17 … (partition 0x1, bytes 4096 to 8191)"
std::string damage_text(const Damage& damage);
// One error message for each place, the first hundred.
void tell_damage(const ValidateReport& report, Events& events);

// What it hits, as messages (the first hundred) and in the facts of the report.
void tell_hits(const std::vector<std::string>& hits, Events& events, Report& end);

}  // namespace tintype::cli
