// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/damage.h"

#include <fmt/format.h>

#include <algorithm>

namespace tintype::cli {

std::string damage_text(const Damage& damage) {
  std::string where = damage.area;
  if (damage.bytes.length != 0)
    where += fmt::format("{}bytes {} to {}", where.empty() ? "" : ", ", damage.bytes.start, damage.bytes.end() - 1);
  return where.empty() ? damage.what : fmt::format("{} ({})", damage.what, where);
}

void tell_hits(const std::vector<std::string>& hits, Events& events, Report& end) {
  constexpr std::size_t kMostTold = 100;
  for (std::size_t i = 0; i < std::min(kMostTold, hits.size()); ++i) events.message({Severity::error, "hit: " + hits[i]});
  if (hits.size() > kMostTold) events.message({Severity::error, fmt::format("and {} more files and structures", hits.size() - kMostTold)});
  if (!hits.empty()) end.facts.push_back({"hits", hits});
}

void tell_damage(const ValidateReport& report, Events& events) {
  constexpr std::size_t kMostTold = 100;
  for (std::size_t i = 0; i < std::min(kMostTold, report.damage.size()); ++i)
    events.message({Severity::error, damage_text(report.damage[i])});
  if (report.damage_count > kMostTold)
    events.message({Severity::error, fmt::format("and {} more places", report.damage_count - kMostTold)});
}

}  // namespace tintype::cli
