// SPDX-License-Identifier: GPL-3.0-or-later
// A new image over an older one of the same name, cut off at every single step by a kill, a failure or a power cut: the
// name must open as the complete old or the complete new image, and the next backup must clean up.
#include <algorithm>

#include "base/text.h"
#include "image/part_names.h"
#include "parity_fixture.h"

namespace tintype {
namespace {

using test::ImageLab;
using test::MemoryPlace;

constexpr std::uint64_t kMiB = 1U << 20;

// How many MiB the older and the newer image hold, each taking about as many parts, and the share of their recovery files.
struct Sizes {
  std::uint64_t before, after;
  std::uint32_t parity_before = 0, parity_after = 0;
};

class PublishTest : public ::testing::TestWithParam<Sizes> {
 protected:
  void SetUp() override {
    start_ = std::make_shared<MemoryPlace>();
    BackupRequest before = lab_.request(lab_.noise_drive(GetParam().before * kMiB / 2, 1), start_);
    before.parity_percent = GetParam().parity_before;
    const auto made = lab_.backup(before, 1);
    ASSERT_TRUE(made) << made.error().message();
    old_id_ = made->set_id;
    source_ = lab_.noise_drive(GetParam().after * kMiB / 2, 2);
    const auto trial = start_->copy();
    ASSERT_TRUE(lab_.backup(request(trial), 2));
    steps_ = trial->operations();
    finished_ = trial->names();
  }

  std::shared_ptr<MemoryPlace> begin() const { return start_->copy(); }
  BackupRequest request(const std::shared_ptr<MemoryPlace>& place) const {
    BackupRequest r = lab_.request(source_, place);
    r.parity_percent = GetParam().parity_after;
    return r;
  }

  // The set id under the image's name, after checking that this image is whole.
  std::string checked_id(const std::shared_ptr<MemoryPlace>& place, const std::string& when) {
    const auto image = lab_.open(place);
    EXPECT_TRUE(image) << when << ": " << (image ? "" : image.error().message());
    if (!image) return "none";
    const auto report = lab_.validate(*image);
    EXPECT_TRUE(report && report->sound()) << when << ": " << (report && !report->sound() ? report->damage.front().what : "");
    check_recovery_file(place, when);
    return to_hex((*image)->header().set_id);
  }

  // A recovery file is that of the image, whole and fitting, or is known to be of another one.
  void check_recovery_file(const std::shared_ptr<MemoryPlace>& place, const std::string& when) {
    const auto found = find_parity(*place, "pc.tti");
    ASSERT_TRUE(found) << when;
    EXPECT_NE(found->state, FoundParity::State::unreadable) << when;
    if (found->state != FoundParity::State::there) return;
    PartRow row = parts_beside(place, "pc.tti", found->file->head());
    FixedClock clock{std::chrono::sys_seconds{}};
    SeededRandom random(0);
    JobContext context{lab_.events, lab_.cancel, clock, random, 1};
    const auto report = check_parity(*found->file, row, *place, "pc.tti", true, context);
    ASSERT_TRUE(report) << when;
    EXPECT_TRUE(report->parts_sound() && report->file_sound()) << when;
  }

  // What is there is one of the two, whole; reading has finished a cut-off publish; the next backup leaves nothing else.
  void check(const std::shared_ptr<MemoryPlace>& place, const Result<BackupReport>& report, const std::string& when, bool then_next = true) {
    place->faults = {};
    const std::string id = checked_id(place, when);
    if (id != old_id_) {
      const auto header = read_part_header(*place, "pc.tti");
      ASSERT_TRUE(header) << when;
      for (const std::string& name : place->names()) {
        const auto leftover = read_part_header(*place, name);
        if (!name.ends_with(".partial") || !leftover) continue;
        EXPECT_NE(leftover->set_id, header->set_id) << when << ": " << name;
      }
      if (GetParam().parity_after != 0) {
        EXPECT_EQ(find_parity(*place, "pc.tti")->state, FoundParity::State::there) << when;
      }
    }
    if (report) {
      EXPECT_EQ(id, report->set_id) << when;
    }
    if (!then_next) return;
    const auto next = lab_.backup(request(place), 3);
    ASSERT_TRUE(next) << when << ": " << next.error().message();
    EXPECT_EQ(checked_id(place, when + ", next backup"), next->set_id);
    EXPECT_EQ(place->names(), finished_) << when;
  }

  ImageLab lab_;
  std::shared_ptr<MemoryPlace> start_;
  std::shared_ptr<Drive> source_;
  std::string old_id_;
  std::uint64_t steps_ = 0;
  std::vector<std::string> finished_;
};

TEST_P(PublishTest, KilledAtEveryStep) {
  for (std::uint64_t n = 1; n <= steps_; ++n) {
    const auto place = begin();
    place->faults.stop_at = n;
    const auto report = lab_.backup(request(place), 2);
    check(place, report, "killed at step " + std::to_string(n));
  }
}

TEST_P(PublishTest, FailingAtEveryStep) {
  for (std::uint64_t n = 1; n <= steps_; ++n) {
    const auto place = begin();
    place->faults.fail_at = n;
    const auto report = lab_.backup(request(place), 2);
    check(place, report, "failed at step " + std::to_string(n));
  }
}

TEST_P(PublishTest, FailureReportedForWhatWasDone) {
  for (std::uint64_t n = 1; n <= steps_; ++n) {
    const auto place = begin();
    place->faults.lie_at = n;
    const auto report = lab_.backup(request(place), 2);
    check(place, report, "false failure at step " + std::to_string(n));
  }
}

TEST_P(PublishTest, PowerCutAtEveryStep) {
  for (std::uint64_t n = 1; n <= steps_; ++n) {
    const auto place = begin();
    place->faults.stop_at = n;
    const auto report = lab_.backup(request(place), 2);
    const std::size_t changes = place->unsynced_changes();
    // What reached the disk: nothing, all, the first, the last, or one of the changes since the last sync.
    std::vector<std::shared_ptr<MemoryPlace>> outcomes;
    for (std::size_t k = 0; k <= changes; ++k) {
      outcomes.push_back(place->after_power_cut([k](std::size_t i) { return i < k; }));
      outcomes.push_back(place->after_power_cut([k](std::size_t i) { return i >= k; }));
      outcomes.push_back(place->after_power_cut([k](std::size_t i) { return i == k; }));
    }
    for (std::size_t i = 0; i < outcomes.size(); ++i)
      check(outcomes[i], report, "power cut at step " + std::to_string(n) + ", outcome " + std::to_string(i), i % 5 == 0);
  }
}

// A reader finishes what a kill cut off; then the power fails.
TEST_P(PublishTest, PowerCutWhileReadingFinishes) {
  for (std::uint64_t n = 1; n <= steps_; ++n) {
    const auto place = begin();
    place->faults.stop_at = n;
    const auto report = lab_.backup(request(place), 2);
    place->faults = {};
    const auto header = read_part_header(*place, "pc.tti");
    if (!header || to_hex(header->set_id) == old_id_) continue;  // nothing for a reader to do
    for (std::uint64_t m = 1; m < 20; ++m) {
      place->faults = {};
      place->faults.stop_at = place->operations() + m;
      if (lab_.open(place)) break;
      for (std::size_t k = 0; k <= place->unsynced_changes(); ++k)
        check(place->after_power_cut([k](std::size_t i) { return i >= k; }), report, "read cut off after step " + std::to_string(n), k == 1);
    }
  }
}

// The next backup is cut off too, before anybody has read the image.
TEST_P(PublishTest, TheNextBackupKilledToo) {
  for (std::uint64_t n = 1; n <= steps_; ++n) {
    const auto place = begin();
    place->faults.stop_at = n;
    const auto report = lab_.backup(request(place), 2);
    place->faults = {};
    const auto header = read_part_header(*place, "pc.tti");
    if (!header || to_hex(header->set_id) == old_id_) continue;
    const std::uint64_t next_steps = 20;
    for (std::uint64_t m = 1; m < next_steps; ++m) {
      const auto again = place->copy();
      again->faults.stop_at = m;
      const auto second = lab_.backup(request(again), 4);
      check(again, second ? second : report, "killed at step " + std::to_string(n) + " and again at " + std::to_string(m));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, PublishTest, ::testing::Values(Sizes{5, 3}, Sizes{4, 1}, Sizes{1, 4}, Sizes{3, 2, 5, 5}, Sizes{2, 2, 5, 0}, Sizes{1, 3, 0, 5}),
                         [](const auto& sizes) {
                           return std::to_string(sizes.param.before) + "to" + std::to_string(sizes.param.after) + "parity" +
                                  std::to_string(sizes.param.parity_before) + "to" + std::to_string(sizes.param.parity_after);
                         });

TEST(FullPlace, GoesOnAfterRoomWasMade) {
  ImageLab lab;
  const auto source = lab.noise_drive(3 * kMiB, 1);
  const auto wanted = std::make_shared<MemoryPlace>();
  ASSERT_TRUE(lab.backup(lab.request(source, wanted), 1));
  for (std::uint64_t first = 1000; first < 4 * kMiB; first += 377777) {
    const auto place = std::make_shared<MemoryPlace>();
    place->faults.capacity_bytes = first;
    lab.events.questions.clear();
    // In small steps, so that one record needs several answers.
    lab.events.on_ask = [&] {
      place->faults.capacity_bytes += 150001;
      return Answer::retry;
    };
    const auto report = lab.backup(lab.request(source, place), 1);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(lab.events.questions.empty(), first >= 3 * kMiB + 100000) << first;
    for (const std::string& question : lab.events.questions) EXPECT_EQ(question, "place-full");
    ASSERT_EQ(place->names(), wanted->names());
    for (const std::string& name : wanted->names()) EXPECT_EQ(place->get(name), wanted->get(name)) << name;
  }
}

TEST(FullPlace, AbortLeavesTheOldImageAndWhatCanBeContinued) {
  ImageLab lab;
  const auto place = std::make_shared<MemoryPlace>();
  ASSERT_TRUE(lab.backup(lab.request(lab.noise_drive(3 * kMiB, 1), place), 1));
  const auto names = place->names();
  const Bytes before = place->get("pc.tti.1");
  place->faults.capacity_bytes = 5 * kMiB;
  const auto report = lab.backup(lab.request(lab.noise_drive(3 * kMiB, 2), place), 2);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::no_space);
  EXPECT_EQ(place->get("pc.tti.1"), before);
  const auto left = place->names();
  for (const std::string& name : names) EXPECT_TRUE(std::ranges::find(left, name) != left.end());
  EXPECT_EQ(std::ranges::count_if(left, [](const std::string& name) { return name.ends_with(".partial"); }),
            static_cast<std::ptrdiff_t>(left.size() - names.size()));
  // The next backup of that name begins anew and removes them.
  place->faults = {};
  ASSERT_TRUE(lab.backup(lab.request(lab.noise_drive(3 * kMiB, 2), place), 3));
  EXPECT_EQ(place->names(), names);
}

TEST(Publish, FilesOfOthersWithNumbersStay) {
  ImageLab lab;
  const auto place = std::make_shared<MemoryPlace>();
  const std::vector<std::string> others = {"pc.tti.01", "pc.tti.2024", "pc.tti.x", "pc.ttis", "pc.tti.4294967296", "other.tti.1.partial"};
  for (const std::string& name : others) place->put(name, as_bytes("my notes"));
  ASSERT_TRUE(lab.backup(lab.request(lab.noise_drive(3 * kMiB, 1), place), 1));
  ASSERT_TRUE(lab.backup(lab.request(lab.noise_drive(1000, 2), place), 2));
  EXPECT_EQ(place->names().size(), others.size() + 1);
  for (const std::string& name : others) EXPECT_EQ(place->get(name).size(), 8U) << name;
}

}  // namespace
}  // namespace tintype
