// SPDX-License-Identifier: GPL-3.0-or-later
// Backups that were cut off and are continued.
#include "chain_fixture.h"
#include "image/unfinished.h"

namespace tintype::test {
namespace {

struct Cut {
  std::shared_ptr<MemoryPlace> place;  // what is left
  bool finished = false;
};

// Runs a backup that is cut off at a step of the place; a new process finds what is in the folder then.
Cut cut_off(ChainLab& lab, const std::string& name, const std::string& base, std::uint64_t step) {
  lab.place->faults.stop_at = lab.place->operations() + step;
  const bool done = lab.backup(name, base, 1).has_value();
  lab.place->faults = {};
  return {lab.place->copy(), done};
}

Result<BackupReport> resume(ChainLab& lab, const std::string& name, const std::string& base = {}) {
  BackupRequest r = lab.request(name);
  if (!base.empty()) r.base = BackupBase{TRY(lab.open(base)), base, ""};
  r.resume = true;
  return lab.run(r);
}

bool has_leftovers(const MemoryPlace& place) {
  return std::ranges::any_of(place.names(), [](const std::string& name) { return name.ends_with(".partial"); });
}

class Resume : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(PlainAndEncrypted, Resume, ::testing::Bool());

TEST_P(Resume, GoesOnFromEveryCut) {
  bool finished = false;
  std::uint64_t most = 0;
  for (std::uint64_t step = 4; !finished; step += GetParam() ? 23 : 5) {
    ChainLab lab(3, 12 * kMiB);
    if (GetParam()) lab.password = "geheim";
    lab.max_part_bytes = 2 * kMiB;
    const Cut cut = cut_off(lab, "pc.tti", "", step);
    finished = cut.finished;
    lab.place = cut.place;
    const auto report = resume(lab, "pc.tti");
    ASSERT_TRUE(report) << step << ": " << report.error().message();
    most = std::max(most, report->continued_bytes);
    EXPECT_TRUE(lab.gives("pc.tti", lab.content())) << step;
    const auto checked = lab.validate("pc.tti");
    ASSERT_TRUE(checked);
    EXPECT_TRUE(checked->sound()) << step << ": " << checked->damage.front().what;
    EXPECT_FALSE(has_leftovers(*lab.place)) << step;
  }
  EXPECT_GT(most, 2 * kMiB);
}

TEST(Resume, SavesNothingAgainThatIsThere) {
  ChainLab lab(3);
  ASSERT_TRUE(lab.backup("whole.tti"));
  const std::uint64_t whole = lab.image_bytes("whole.tti");
  const Cut cut = cut_off(lab, "pc.tti", "", 25);
  ASSERT_FALSE(cut.finished);
  lab.place = cut.place;
  const std::uint64_t before = lab.place->get("pc.tti.partial").size();
  ASSERT_GT(before, whole / 3);
  const auto report = resume(lab, "pc.tti");
  ASSERT_TRUE(report);
  EXPECT_GT(report->continued_bytes, before - before / 10);
  EXPECT_LT(lab.image_bytes("pc.tti"), whole + 20000);
}

TEST(Resume, TheResultIsTheSourceOfNow) {
  ChainLab lab(3);
  const Cut cut = cut_off(lab, "pc.tti", "", 25);
  ASSERT_FALSE(cut.finished);
  lab.place = cut.place;
  lab.scribble(2 * kMiB + 5000, 3000);  // in what was saved
  lab.scribble(9 * kMiB, 3000);
  ASSERT_TRUE(resume(lab, "pc.tti"));
  EXPECT_TRUE(lab.gives("pc.tti", lab.content()));
  EXPECT_TRUE(lab.validate("pc.tti")->sound());
}

TEST(Resume, AChangesOnlyImageToo) {
  for (std::uint64_t step = 4; step < 40; step += 3) {
    ChainLab lab(5, 12 * kMiB);
    ASSERT_TRUE(lab.backup("full.tti"));
    lab.scribble(2 * kMiB, 2 * kMiB);
    lab.scribble(5 * kMiB, 300000);
    const Cut cut = cut_off(lab, "diff.tti", "full.tti", step);
    lab.place = cut.place;
    const auto report = resume(lab, "diff.tti", "full.tti");
    ASSERT_TRUE(report) << step << ": " << report.error().message();
    EXPECT_TRUE(lab.gives("diff.tti", lab.content())) << step;
    EXPECT_TRUE(lab.validate("diff.tti")->sound()) << step;
  }
}

TEST(Resume, CutOffAgainAndAgain) {
  ChainLab lab(6);
  cut_off(lab, "pc.tti", "", 12);
  std::uint64_t last = lab.place->get("pc.tti.partial").size();
  bool done = false;
  for (int round = 0; round < 30 && !done; ++round) {
    lab.place = lab.place->copy();
    lab.scribble(2 * kMiB + lab.number(5 * kMiB), 100);
    lab.place->faults.stop_at = 46;
    done = resume(lab, "pc.tti").has_value();
    lab.place->faults = {};
    if (done) break;
    EXPECT_GE(lab.place->get("pc.tti.partial").size(), last);
    last = lab.place->get("pc.tti.partial").size();
  }
  ASSERT_TRUE(done);
  EXPECT_TRUE(lab.gives("pc.tti", lab.content()));
  EXPECT_TRUE(lab.validate("pc.tti")->sound());
}

TEST(Resume, AFullPlaceKeepsWhatIsDone) {
  ChainLab lab(6);
  lab.place->faults.capacity_bytes = 3 * kMiB;
  const auto failed = lab.backup("pc.tti");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::no_space);
  EXPECT_NE(failed.error().hint.find("--resume"), std::string::npos);
  lab.place->faults = {};
  const auto report = resume(lab, "pc.tti");
  ASSERT_TRUE(report);
  EXPECT_GT(report->continued_bytes, 2 * kMiB);
  EXPECT_TRUE(lab.gives("pc.tti", lab.content()));
}

TEST(Resume, GarbageBehindTheSoundPartIsCutOff) {
  ChainLab lab(8);
  const Cut cut = cut_off(lab, "pc.tti", "", 25);
  Bytes left = cut.place->get("pc.tti.partial");
  left.insert(left.end(), 100000, std::byte{0});            // what a power cut leaves
  left[left.size() - 150000] ^= std::byte{1};               // and in the middle of a frame
  lab.place = cut.place;
  lab.place->put("pc.tti.partial", left);
  ASSERT_TRUE(resume(lab, "pc.tti"));
  EXPECT_TRUE(lab.gives("pc.tti", lab.content()));
  EXPECT_TRUE(lab.validate("pc.tti")->sound());
}

TEST(Resume, WhatDoesNotFitIsRefusedAndStays) {
  ChainLab lab(8), other(9);
  const Cut cut = cut_off(lab, "pc.tti", "", 25);
  const Bytes left = cut.place->get("pc.tti.partial");
  other.place = cut.place;
  const auto refused = resume(other, "pc.tti");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::refused);
  EXPECT_EQ(other.place->get("pc.tti.partial"), left);
  lab.place = cut.place;
  lab.password = "zwei";
  EXPECT_FALSE(resume(lab, "pc.tti"));
  EXPECT_EQ(lab.place->get("pc.tti.partial"), left);
}

TEST(Resume, WithNothingToGoOnWithItBeginsAnew) {
  ChainLab lab(8);
  const auto report = resume(lab, "pc.tti");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->continued_bytes, 0U);
  EXPECT_TRUE(lab.gives("pc.tti", lab.content()));
}

TEST(Resume, WithoutThePasswordItSaysWhatIsMissing) {
  ChainLab lab(8);
  lab.password = "geheim";
  const Cut cut = cut_off(lab, "pc.tti", "", 25);
  lab.place = cut.place;
  const Bytes left = lab.place->get("pc.tti.partial");
  lab.password.reset();
  const auto refused = resume(lab, "pc.tti");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::denied);
  EXPECT_NE(refused.error().message().find("protected by a password"), std::string::npos) << refused.error().message();
  EXPECT_EQ(lab.place->get("pc.tti.partial"), left);
}

// Frames that are sound as such, but belong to no place of the drive.
TEST(Resume, WhatBelongsNowhereIsCutOff) {
  for (const FrameType type : {FrameType::page, FrameType::chunk}) {
    for (const FrameAddress address : {FrameAddress{1, (std::uint64_t{1} << 53) - 1}, FrameAddress{1, 5}, FrameAddress{77, 0}}) {
      ChainLab lab(8);
      const Cut cut = cut_off(lab, "pc.tti", "", 25);
      lab.place = cut.place;
      const auto unfinished = Unfinished::open(lab.place, "pc.tti", {});
      ASSERT_TRUE(unfinished && *unfinished);
      Bytes left = lab.place->get("pc.tti.partial");
      left.resize(static_cast<std::size_t>((*unfinished)->part_bytes().front()));
      auto sealer = FrameSealer::create(std::nullopt, 1);
      Bytes buffer(frame_room(1000));
      const Bytes content(1000, std::byte{7});
      const FrameAddress where = type == FrameType::chunk && address.number == 5 ? FrameAddress{1, 500} : address;
      const auto frame = sealer->seal(type, where, 1, content, buffer);
      ASSERT_TRUE(frame);
      left.insert(left.end(), frame->begin(), frame->end());
      lab.place->put("pc.tti.partial", left);
      const auto report = resume(lab, "pc.tti");
      ASSERT_TRUE(report) << report.error().message();
      EXPECT_GT(report->continued_bytes, kMiB);
      EXPECT_TRUE(lab.gives("pc.tti", lab.content()));
      EXPECT_TRUE(lab.validate("pc.tti")->sound());
    }
  }
}

TEST(Resume, PartsThatAreTooSmallAreRefused) {
  ChainLab lab(8);
  const Cut cut = cut_off(lab, "pc.tti", "", 25);
  lab.place = cut.place;
  lab.max_part_bytes = 5000;
  EXPECT_EQ(resume(lab, "pc.tti").error().code, ErrorCode::usage);
}

}  // namespace
}  // namespace tintype::test
