// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <vector>

#include "job/salvage.h"

namespace tintype {

// The whole report for programs; its fields are listed in docs/json-events.md.
std::string salvage_json(const SalvageReport& report, const std::string& image);
// The same for people; of long lists of ranges the first hundred.
std::string salvage_text(const SalvageReport& report, const std::string& image);
// "98.2 % brought back, 1.7 % lost, 0.1 % unknown"
std::string salvage_shares(const SalvageReport& report);

}  // namespace tintype
