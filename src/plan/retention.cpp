// SPDX-License-Identifier: GPL-3.0-or-later
#include "plan/retention.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace tintype {
namespace {

using std::chrono::local_seconds;
using Group = std::vector<std::size_t>;  // indices of the sets of one source, newest first

std::vector<Group> by_source(const std::vector<RetentionSet>& sets) {
  std::map<std::string, Group> groups;
  for (std::size_t i = 0; i < sets.size(); ++i)
    if (sets[i].why_kept.empty()) groups[sets[i].source].push_back(i);
  std::vector<Group> out;
  for (auto& [source, group] : groups) {
    std::ranges::sort(group, [&](std::size_t a, std::size_t b) {
      if (sets[a].created != sets[b].created) return sets[a].created > sets[b].created;
      return sets[a].name > sets[b].name;
    });
    out.push_back(std::move(group));
  }
  return out;
}

// A number that is the same for all moments of a period.
long long day_of(local_seconds at) { return std::chrono::floor<std::chrono::days>(at).time_since_epoch().count(); }
long long week_of(local_seconds at) {
  // ISO weeks begin on Monday, and 1970 began on a Thursday: whole weeks since the Monday before. No year needs to be known.
  const long long days = day_of(at) + 3;
  return days >= 0 ? days / 7 : (days - 6) / 7;
}
long long month_of(local_seconds at) {
  const CivilTime time = civil_time(at);
  return time.year * 12LL + time.month;
}
long long year_of(local_seconds at) { return civil_time(at).year; }

void keep(Retention& decision, std::string why) {
  decision.keep = true;
  decision.reasons.push_back(std::move(why));
}

void keep_last(const Group& group, std::uint64_t count, std::vector<Retention>& decisions) {
  for (std::size_t i = 0; i < group.size() && i < count; ++i) keep(decisions[group[i]], fmt::format("last {}", i + 1));
}

struct PeriodRule {
  std::uint64_t count;
  long long (*period)(local_seconds);
  const char* word;
};

void keep_periods(const std::vector<RetentionSet>& sets, const Group& group, PeriodRule rule, std::vector<Retention>& decisions) {
  std::optional<long long> last;
  for (const std::size_t i : group) {
    if (rule.count == 0) return;
    const long long period = rule.period(sets[i].created_local);
    const bool newest_of_it = last != period;
    if (!newest_of_it && i != group.back()) continue;
    last = period;
    --rule.count;
    keep(decisions[i], newest_of_it ? rule.word : fmt::format("oldest, {}", rule.word));
  }
}

void keep_within(const std::vector<RetentionSet>& sets, const Group& group, const CalendarSpan& span,
                 std::chrono::sys_seconds now, std::vector<Retention>& decisions) {
  const auto newest = std::ranges::find_if(group, [&](std::size_t i) { return sets[i].created <= now; });
  // One that claims to come from the future is newer than any limit.
  const local_seconds limit = newest == group.end() ? local_seconds::min() : before(sets[*newest].created_local, span);
  for (const std::size_t i : group)
    if (sets[i].created_local >= limit) keep(decisions[i], "within the time");
}

void keep_what_is_needed(const std::vector<RetentionSet>& sets, std::vector<Retention>& decisions) {
  std::multimap<SetId, std::size_t> by_id;
  for (std::size_t i = 0; i < sets.size(); ++i) by_id.emplace(sets[i].id, i);
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < sets.size(); ++i)
    if (decisions[i].keep) open.push_back(i);
  while (!open.empty()) {
    const std::size_t by = open.back();
    open.pop_back();
    const std::set<SetId> needs(sets[by].needs.begin(), sets[by].needs.end());
    for (const SetId& id : needs) {
      const auto [first, last] = by_id.equal_range(id);
      for (auto at = first; at != last; ++at) {
        const std::size_t needed = at->second;
        if (needed == by) continue;
        if (!decisions[needed].keep) {
          decisions[needed] = {};
          open.push_back(needed);
        }
        decisions[needed].needed_by.push_back(sets[by].name);
      }
    }
  }
}

// Every set is to go but those that must be kept.
std::vector<Retention> begin(const std::vector<RetentionSet>& sets) {
  std::vector<Retention> decisions(sets.size(), {.keep = false, .reasons = {}, .needed_by = {}});
  for (std::size_t i = 0; i < sets.size(); ++i)
    if (!sets[i].why_kept.empty()) keep(decisions[i], sets[i].why_kept);
  return decisions;
}

}  // namespace

std::vector<Retention> retain(const std::vector<RetentionSet>& sets, const KeepRules& rules, std::chrono::sys_seconds now) {
  std::vector<Retention> decisions = begin(sets);
  const std::array periods = {PeriodRule{rules.daily, day_of, "daily"}, PeriodRule{rules.weekly, week_of, "weekly"},
                              PeriodRule{rules.monthly, month_of, "monthly"}, PeriodRule{rules.yearly, year_of, "yearly"}};
  for (const Group& group : by_source(sets)) {
    keep_last(group, rules.last, decisions);
    for (const PeriodRule& rule : periods) keep_periods(sets, group, rule, decisions);
    if (rules.within) keep_within(sets, group, *rules.within, now, decisions);
  }
  keep_what_is_needed(sets, decisions);
  for (Retention& decision : decisions)
    if (!decision.keep) decision.reasons = {"no rule keeps it"};
  return decisions;
}

std::vector<Retention> retain(const std::vector<RetentionSet>& sets, const AgeRule& rule, std::chrono::sys_seconds now) {
  const auto made_now = [&](const RetentionSet& set) { return std::ranges::find(rule.just_made, set.id) != rule.just_made.end(); };
  std::set<std::string> sources;
  for (const RetentionSet& set : sets)
    if (set.why_kept.empty() && made_now(set)) sources.insert(set.source);
  std::vector<Retention> decisions = begin(sets);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const RetentionSet& set = sets[i];
    if (!set.why_kept.empty()) continue;
    const auto age = std::chrono::floor<std::chrono::days>(now - set.created).count();
    const std::string words = fmt::format("{} {} old", age, age == 1 ? "day" : "days");
    if (made_now(set)) keep(decisions[i], "just made");
    else if (!rule.all_sources && !sources.contains(set.source)) keep(decisions[i], "of another source");
    else if (age < 0 || static_cast<std::uint64_t>(age) < rule.days) keep(decisions[i], words);
    else decisions[i].reasons = {words};
  }
  keep_what_is_needed(sets, decisions);
  return decisions;
}

}  // namespace tintype
