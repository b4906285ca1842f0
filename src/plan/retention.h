// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/local_time.h"
#include "image/format.h"

namespace tintype {

// One image set as retention sees it: a plain value.
struct RetentionSet {
  std::string name;            // short, for reasons: "friday"
  SetId id{};
  std::vector<SetId> needs;    // sets it builds on; known even where the rest is not
  std::string why_kept;        // why it must be kept whatever a rule says (it cannot be read …); empty: what follows is known
  std::string source;          // equal for images that can stand for one another: the same drive and choice of partitions
  std::chrono::sys_seconds created{};
  std::chrono::local_seconds created_local{};  // the same on the wall's clock, by which days and weeks begin
};

// What to keep of each source; rules are a union, and 0 is no rule. An image counts for every rule that it fits, so that the daily
// one of a Sunday can be the weekly one too. Of each period that has images the newest is kept, the newest periods first; while a
// rule of periods is not used up the oldest image is kept as well, so that history does not lose its beginning.
struct KeepRules {
  std::uint64_t last = 0, daily = 0, weekly = 0, monthly = 0, yearly = 0;  // weeks as in ISO 8601
  std::optional<CalendarSpan> within = {};  // back from the newest image of the source that is not of the future
};

// What to delete: sets that are so many times 24 hours old or older.
struct AgeRule {
  std::uint64_t days = 0;
  bool all_sources = false;         // else only those of the sources of `just_made`
  std::vector<SetId> just_made = {};// never deleted
};

struct Retention {
  bool keep = true;
  std::vector<std::string> reasons;    // "last 2", "daily", "31 days old"; empty if only others need it
  std::vector<std::string> needed_by;  // the kept sets that build on it
};

// One decision for each set, in the order of the sets. Whatever the rule, a set is kept if a kept one needs it, over any number
// of steps; a chain that runs in circles is kept as well if one of it is.
std::vector<Retention> retain(const std::vector<RetentionSet>& sets, const KeepRules& rules, std::chrono::sys_seconds now);
std::vector<Retention> retain(const std::vector<RetentionSet>& sets, const AgeRule& rule, std::chrono::sys_seconds now);

}  // namespace tintype
