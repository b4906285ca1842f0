// SPDX-License-Identifier: GPL-3.0-or-later
// A consolidation that is killed, fails, or loses its power at every single step: whatever is there afterwards are whole chains, and
// the state that was merged can still be had.
#include "chain_fixture.h"

namespace tintype::test {
namespace {

struct Run {
  std::uint32_t base;
  bool replace;
};

class KilledConsolidation : public ::testing::TestWithParam<Run> {
 protected:
  void SetUp() override {
    lab_.compression = 0;
    lab_.max_part_bytes = kMiB;
    std::string base;
    for (const std::string name : {"full.tti", "day1.tti", "day2.tti", "day3.tti"}) {
      ASSERT_TRUE(lab_.backup(name, base));
      truth_[name] = lab_.content();
      truth_["merged.tti"] = lab_.content();
      base = name;
      lab_.scribble(2 * kMiB + lab_.number(kMiB), 700000);
    }
    start_ = lab_.place;
    lab_.place = start_->copy();
    ASSERT_TRUE(consolidate());
    steps_ = lab_.place->operations();
    finished_ = lab_.place->names();
  }

  Result<ConsolidateReport> consolidate() { return lab_.consolidate("day3.tti", "merged.tti", GetParam().base, GetParam().replace, 1); }

  std::set<std::string> images() const {
    std::set<std::string> found;
    for (const std::string& name : lab_.place->names())
      if (name.ends_with(".tti")) found.insert(name);
    return found;
  }

  // Names and sizes of what belongs to an image that has its name: equal ones are looked at once.
  std::vector<std::string> state() const {
    std::vector<std::string> out;
    const bool merged = images().contains("merged.tti");
    for (const std::string& name : lab_.place->names())
      if (merged || !name.ends_with(".partial")) out.push_back(name + " " + std::to_string(lab_.place->get(name).size()));
    return out;
  }

  // Every image that is there is whole; the merged state is there, and so is what came before the run.
  void check(const std::string& when) {
    lab_.place->faults = {};
    if (!checked_.insert(state()).second) return;
    const std::set<std::string> found = images();
    EXPECT_TRUE(found.contains("merged.tti") || found.contains("day3.tti")) << when;
    EXPECT_TRUE(found.contains("merged.tti") || found.size() == 4) << when;
    for (const std::string& name : found) {
      const auto report = lab_.validate(name);
      EXPECT_TRUE(report && report->sound()) << when << ": " << name << " "
                                             << (!report ? report.error().message() : report->sound() ? "" : report->damage.front().what);
      EXPECT_TRUE(lab_.gives(name, truth_[name])) << when;
    }
    if (GetParam().base >= 1) {
      EXPECT_TRUE(found.contains("full.tti")) << when;
    }
  }

  // The next run cleans up what an interrupted one left, and comes to the same end.
  void check_next(const std::string& when) {
    if (!images().contains("day3.tti")) return;
    if (images().contains("merged.tti")) return;
    const auto next = consolidate();
    ASSERT_TRUE(next) << when << ": " << next.error().message();
    EXPECT_EQ(lab_.place->names(), finished_) << when;
  }

  ChainLab lab_{31, 6 * kMiB};
  std::shared_ptr<MemoryPlace> start_;
  std::map<std::string, Bytes> truth_;
  std::set<std::vector<std::string>> checked_;
  std::uint64_t steps_ = 0;
  std::vector<std::string> finished_;
};

TEST_P(KilledConsolidation, AtEveryStep) {
  ASSERT_GT(steps_, 50U);
  for (std::uint64_t n = 1; n <= steps_; ++n) {
    lab_.place = start_->copy();
    lab_.place->faults.stop_at = n;
    (void)consolidate();
    const std::string when = "killed at step " + std::to_string(n);
    check(when);
    check_next(when);
  }
}

TEST_P(KilledConsolidation, FailingAtEveryStep) {
  for (std::uint64_t n = 1; n <= steps_; ++n) {
    lab_.place = start_->copy();
    lab_.place->faults.fail_at = n;
    (void)consolidate();
    const std::string when = "failing at step " + std::to_string(n);
    check(when);
    check_next(when);
  }
}

TEST_P(KilledConsolidation, PowerCutAtEveryStep) {
  for (std::uint64_t n = 1; n <= steps_; ++n) {
    const auto place = start_->copy();
    lab_.place = place;
    place->faults.stop_at = n;
    (void)consolidate();
    const std::size_t changes = place->unsynced_changes();
    for (std::size_t k = 0; k <= changes; ++k) {
      lab_.place = place->after_power_cut([k](std::size_t i) { return i < k; });
      check("power cut at step " + std::to_string(n) + ", first " + std::to_string(k));
      lab_.place = place->after_power_cut([k](std::size_t i) { return i == k; });
      check("power cut at step " + std::to_string(n) + ", only " + std::to_string(k));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Runs, KilledConsolidation, ::testing::Values(Run{0, false}, Run{0, true}, Run{1, true}));

}  // namespace
}  // namespace tintype::test
