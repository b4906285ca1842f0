// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>

#include "base/events.h"
#include "job/copy.h"
#include "job/validate.h"
#include "ui/cli/listener.h"
#include "ui/cli/session.h"

namespace tintype::cli {

// "pc.tti.1: chunk 17 … (partition 0x1, bytes 4096 to 8191)"
std::string damage_text(const Damage& damage);
// One error message for each place, the first hundred.
void tell_damage(const ValidateReport& report, Events& events);

// Looks up on the drive what it hits, and tells it: as messages (the first hundred) and in the facts of the report.
void tell_hits(const std::shared_ptr<Drive>& drive, const std::vector<PartitionDamage>& damage, Session& session, Report& end);

// What a copy could not read of its source (`what`: the word for it), which `drive` is, and could not write, with the status for that.
void tell_losses(const CopyReport& report, const char* what, const std::shared_ptr<Drive>& drive, Session& session, Report& end);

}  // namespace tintype::cli
