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

void tell_hits(const std::shared_ptr<Drive>& drive, const std::vector<PartitionDamage>& damage, Session& session, Report& end) {
  constexpr std::size_t kMostTold = 100;
  if (damage.empty()) return;
  Events& events = session.events();
  events.info("looking up which files the damage hits");
  const Hits hits = owners_of_damage(drive, damage, session.cancel());
  const std::size_t told = std::min(kMostTold, hits.listed.size());
  for (std::size_t i = 0; i < told; ++i) events.message({Severity::error, "hit: " + hits.listed[i].line()});
  if (hits.count > told) events.message({Severity::error, fmt::format("and {} more files and structures", hits.count - told)});
  Rows rows{"hit_list", {}};
  for (const Hit& hit : hits.listed)
    rows.rows.push_back({{"kind", std::string(to_string(hit.kind))}, {"partition", hit.partition}, {"what", hit.what}, {"part", hit.part}, {"bytes", hit.bytes}});
  end.facts.push_back({"hits", hits.lines()});
  end.facts.push_back({"hit_count", hits.count});
  end.tables.push_back(std::move(rows));
}

void tell_damage(const ValidateReport& report, Events& events) {
  constexpr std::size_t kMostTold = 100;
  for (std::size_t i = 0; i < std::min(kMostTold, report.damage.size()); ++i)
    events.message({Severity::error, damage_text(report.damage[i])});
  if (report.damage_count > kMostTold)
    events.message({Severity::error, fmt::format("and {} more places", report.damage_count - kMostTold)});
}

void tell_losses(const CopyReport& report, const char* what, const std::shared_ptr<Drive>& drive, Session& session, Report& end) {
  if (report.outcome == Outcome::with_bad_sectors) end.status = ExitStatus::bad_sectors;
  if (report.unreadable_bytes != 0)
    end.summary.push_back(fmt::format("{} of the {} could not be read; the target has zeros there", format_size(report.unreadable_bytes), what));
  tell_hits(drive, report.unreadable, session, end);
  if (report.unwritable_bytes != 0) end.summary.push_back(fmt::format("{} of the target could not be written", format_size(report.unwritable_bytes)));
}

}  // namespace tintype::cli
