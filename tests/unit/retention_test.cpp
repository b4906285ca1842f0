// SPDX-License-Identifier: GPL-3.0-or-later
// What retention keeps: tables of rules, and whatever the rules and the chains, nothing that a kept set needs goes.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "plan/retention.h"

namespace tintype {
namespace {

using namespace std::chrono;
using ::testing::ElementsAre;

SetId id_of(unsigned number) {
  SetId id{};
  id[0] = static_cast<std::byte>(number & 0xFF);
  id[1] = static_cast<std::byte>(number >> 8 & 0xFF);
  id[15] = std::byte{1};
  return id;
}

constexpr auto kNow = sys_days(2026y / November / 25) + 12h;

RetentionSet set_of(unsigned number, sys_seconds created, std::string source = "drive", std::vector<unsigned> needs = {}) {
  RetentionSet set;
  set.name = fmt::format("s{}", number);
  set.id = id_of(number);
  for (const unsigned base : needs) set.needs.push_back(id_of(base));
  set.source = std::move(source);
  set.created = created;
  set.created_local = local_seconds(created.time_since_epoch());
  return set;
}

// One a day at 02:00, set 0 today, set n n days ago.
std::vector<RetentionSet> nightly(unsigned count) {
  std::vector<RetentionSet> sets;
  for (unsigned n = 0; n < count; ++n) sets.push_back(set_of(n, sys_days(2026y / November / 25) + 2h - days(n)));
  return sets;
}

template <class Rule>
std::vector<std::string> kept(const std::vector<RetentionSet>& sets, const Rule& rule) {
  std::vector<std::string> names;
  const std::vector<Retention> decisions = retain(sets, rule, kNow);
  EXPECT_EQ(decisions.size(), sets.size());
  for (std::size_t i = 0; i < sets.size(); ++i) {
    EXPECT_FALSE(decisions[i].reasons.empty() && decisions[i].needed_by.empty()) << sets[i].name << ": every decision has a reason";
    if (decisions[i].keep) names.push_back(sets[i].name);
  }
  return names;
}

TEST(KeepRules, LastCountsImages) {
  EXPECT_THAT(kept(nightly(5), KeepRules{.last = 2}), ElementsAre("s0", "s1"));
  EXPECT_THAT(kept(nightly(2), KeepRules{.last = 7}), ElementsAre("s0", "s1"));
  EXPECT_THAT(kept(std::vector<RetentionSet>{}, KeepRules{.last = 7}), ElementsAre());
}

TEST(KeepRules, DailyKeepsTheNewestOfEachDayThatHasOne) {
  std::vector<RetentionSet> sets = nightly(4);
  sets.push_back(set_of(10, sys_days(2026y / November / 25) + 9h));   // a second one today
  sets.push_back(set_of(11, sys_days(2026y / November / 10) + 9h));   // a gap before it
  sets.push_back(set_of(12, sys_days(2026y / November / 10) + 8h));
  sets.push_back(set_of(13, sys_days(2026y / November / 1) + 8h));
  EXPECT_THAT(kept(sets, KeepRules{.daily = 2}), ElementsAre("s1", "s10"));
  EXPECT_THAT(kept(sets, KeepRules{.daily = 5}), ElementsAre("s1", "s2", "s3", "s10", "s11"));
}

// 2026-11-25 is a Wednesday: weeks begin on 23, 16, 9 November.
TEST(KeepRules, WeeklyKeepsTheNewestOfEachIsoWeek) {
  EXPECT_THAT(kept(nightly(30), KeepRules{.weekly = 3}), ElementsAre("s0", "s3", "s10"));
  // 29 December 2025 (Monday) to 4 January 2026 are one week of ISO 8601, across the years.
  const std::vector<RetentionSet> sets = {set_of(1, sys_days(2026y / January / 4)), set_of(2, sys_days(2025y / December / 29)),
                                          set_of(3, sys_days(2025y / December / 28)), set_of(4, sys_days(2025y / December / 27)),
                                          set_of(5, sys_days(2025y / December / 1))};
  EXPECT_THAT(kept(sets, KeepRules{.weekly = 2}), ElementsAre("s1", "s3"));
}

TEST(KeepRules, MonthlyAndYearly) {
  std::vector<RetentionSet> sets;
  for (unsigned n = 0; n < 40; ++n) {
    const year_month month = 2026y / November - months(n);
    sets.push_back(set_of(n, sys_days(month / 15)));
    sets.push_back(set_of(100 + n, sys_days(month / 2)));
  }
  EXPECT_THAT(kept(sets, KeepRules{.monthly = 3}), ElementsAre("s0", "s1", "s2"));
  EXPECT_THAT(kept(sets, KeepRules{.yearly = 2}), ElementsAre("s0", "s11"));
}

TEST(KeepRules, AreAUnionInWhichAnImageCountsForEveryRule) {
  // Daily takes 0 to 6; of the weeks the newest are 0, 3 (both daily too) and 10.
  EXPECT_THAT(kept(nightly(30), KeepRules{.daily = 7, .weekly = 3}), ElementsAre("s0", "s1", "s2", "s3", "s4", "s5", "s6", "s10"));
}

TEST(KeepRules, TheOldestStaysWhileARuleOfPeriodsIsNotUsedUp) {
  const std::vector<Retention> decisions = retain(nightly(5), KeepRules{.yearly = 3}, kNow);
  EXPECT_TRUE(decisions[0].keep && decisions[4].keep);
  EXPECT_THAT(decisions[4].reasons, ElementsAre("oldest, yearly"));
  EXPECT_FALSE(decisions[1].keep || decisions[2].keep || decisions[3].keep);
}

TEST(KeepRules, WithinCountsBackFromTheNewest) {
  std::vector<RetentionSet> sets = nightly(10);
  for (RetentionSet& set : sets) {
    set.created -= days(365);  // the drive has not been saved for a year
    set.created_local -= days(365);
  }
  EXPECT_THAT(kept(sets, KeepRules{.within = CalendarSpan{.days = 3}}), ElementsAre("s0", "s1", "s2", "s3"));
  EXPECT_THAT(kept(nightly(40), KeepRules{.within = CalendarSpan{.months = 1}}).size(), 32U);  // 25 October to 25 November
}

TEST(KeepRules, EachSourceForItself) {
  const std::vector<RetentionSet> sets = {set_of(1, kNow, "a"), set_of(2, kNow - days(1), "a"), set_of(3, kNow - days(9), "b"),
                                          set_of(4, kNow - days(10), "b")};
  EXPECT_THAT(kept(sets, KeepRules{.last = 1}), ElementsAre("s1", "s3"));
}

TEST(KeepRules, WhatIsNotUnderstoodStaysWithAllItNeeds) {
  std::vector<RetentionSet> sets = nightly(4);
  sets[3].why_kept = "cannot be read";
  sets[3].needs = {id_of(2)};
  const std::vector<Retention> decisions = retain(sets, KeepRules{.last = 1}, kNow);
  EXPECT_THAT(decisions[3].reasons, ElementsAre("cannot be read"));
  EXPECT_TRUE(decisions[2].keep);
  EXPECT_THAT(decisions[2].needed_by, ElementsAre("s3"));
  EXPECT_FALSE(decisions[1].keep);
}

TEST(KeepRules, AChainStaysToItsFull) {
  std::vector<RetentionSet> sets = nightly(8);
  for (unsigned n = 0; n < 4; ++n) sets[n].needs = {id_of(n + 1)};  // 0 → 1 → 2 → 3 → 4
  EXPECT_THAT(kept(sets, KeepRules{.last = 1}), ElementsAre("s0", "s1", "s2", "s3", "s4"));
  EXPECT_THAT(retain(sets, KeepRules{.last = 1}, kNow)[4].needed_by, ElementsAre("s3"));
}

TEST(AgeRule, CountsTimesOf24HoursAndOnlyTheSameSource) {
  std::vector<RetentionSet> sets = {set_of(1, kNow), set_of(2, kNow - days(7) + 1s), set_of(3, kNow - days(7)),
                                    set_of(4, kNow - days(70)), set_of(5, kNow - days(70), "other"), set_of(6, kNow + days(70))};
  AgeRule rule{.days = 7, .just_made = {id_of(1)}};
  EXPECT_THAT(kept(sets, rule), ElementsAre("s1", "s2", "s5", "s6"));
  rule.all_sources = true;
  EXPECT_THAT(kept(sets, rule), ElementsAre("s1", "s2", "s6"));
  sets[0].created = kNow - days(100);  // a clock that is wrong
  EXPECT_THAT(kept(sets, rule), ElementsAre("s1", "s2", "s6"));
  sets[1].needs = {id_of(4)};
  EXPECT_THAT(kept(sets, rule), ElementsAre("s1", "s2", "s4", "s6"));
}

TEST(AgeRule, NothingOfAnUnknownSourceGoes) {
  std::vector<RetentionSet> sets = nightly(20);
  sets[0].why_kept = "needs a password";
  EXPECT_EQ(kept(sets, AgeRule{.days = 1, .just_made = {id_of(0)}}).size(), 20U);
}

TEST(Retention, ChainsInCirclesEndAndStay) {
  std::vector<RetentionSet> sets = nightly(4);
  sets[0].needs = {id_of(1)};
  sets[1].needs = {id_of(2)};
  sets[2].needs = {id_of(1), id_of(2)};
  EXPECT_THAT(kept(sets, KeepRules{.last = 1}), ElementsAre("s0", "s1", "s2"));
}

// Any sets, any needs (chains, trees, circles, copies with the same id, bases elsewhere), any rule.
TEST(Retention, NothingThatAKeptSetNeedsIsEverRemoved) {
  std::mt19937 random(20261125);
  const auto below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
  std::size_t removed = 0, needed = 0;
  for (int round = 0; round < 2000; ++round) {
    const unsigned count = 1 + below(30);
    std::vector<RetentionSet> sets;
    for (unsigned n = 0; n < count; ++n) {
      RetentionSet set = set_of(below(4) == 0 ? below(count) : n, kNow - hours(below(24 * 500)), fmt::format("{}", below(3)));
      for (unsigned links = below(3); links > 0; --links) set.needs.push_back(id_of(below(count + 3)));
      if (below(10) == 0) set.why_kept = "unknown";
      sets.push_back(set);
    }
    const KeepRules rules{.last = below(3), .daily = below(4), .weekly = below(3), .monthly = below(3), .yearly = below(2),
                          .within = below(3) == 0 ? std::optional(CalendarSpan{.days = below(60)}) : std::nullopt};
    const AgeRule age{.days = 1 + below(400), .all_sources = below(2) == 0, .just_made = {sets[below(count)].id}};
    const std::vector<Retention> decisions = below(2) == 0 ? retain(sets, rules, kNow) : retain(sets, age, kNow);
    for (unsigned i = 0; i < count; ++i) {
      if (!decisions[i].keep) {
        ++removed;
        EXPECT_TRUE(sets[i].why_kept.empty());
        continue;
      }
      for (unsigned j = 0; j < count; ++j) {
        if (i == j || std::ranges::find(sets[i].needs, sets[j].id) == sets[i].needs.end()) continue;
        ++needed;
        ASSERT_TRUE(decisions[j].keep) << "round " << round << ": " << sets[i].name << " needs " << sets[j].name;
        EXPECT_THAT(decisions[j].needed_by, ::testing::Contains(sets[i].name));
      }
    }
  }
  EXPECT_GT(removed, 1000U);
  EXPECT_GT(needed, 1000U);
}

// The periods by another way of counting, on random dates: each kept set is the newest of its period, and the periods are the
// newest ones.
TEST(Retention, PeriodsAgreeWithACountOfTheirOwn) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<RetentionSet> sets;
    std::map<long long, std::string, std::greater<>> newest;  // by month
    std::map<std::string, sys_seconds> when;  // by set
    for (unsigned n = 0; n < 40; ++n) {
      const sys_seconds at = kNow - minutes(static_cast<int>(random() % (60 * 24 * 700)));
      sets.push_back(set_of(n, at));
      const year_month_day date(floor<days>(at));
      std::string& best = newest[static_cast<int>(date.year()) * 12LL + static_cast<unsigned>(date.month())];
      if (best.empty() || at > when[best]) best = sets.back().name;
      when[sets.back().name] = at;
    }
    const std::size_t count = 1 + random() % 10;
    std::set<std::string> expected;
    for (const auto& [month, name] : newest)
      if (expected.size() < count) expected.insert(name);
    const std::vector<std::string> got = kept(sets, KeepRules{.monthly = count});
    EXPECT_EQ(std::set<std::string>(got.begin(), got.end()), expected);
  }
}

}  // namespace
}  // namespace tintype
