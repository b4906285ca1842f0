// SPDX-License-Identifier: GPL-3.0-or-later
// Delta restore of an image that builds on others: a target in the state before is itself what the deltas build on.
#include "chain_fixture.h"
#include "support/counting_place.h"

namespace tintype::test {
namespace {

class DeltaOfChain : public ::testing::Test {
 protected:
  // A full image, in a place of its own that counts what is read of it, and one of a few scattered changes.
  void SetUp() override {
    ASSERT_TRUE(lab_.backup("full.tti"));
    before_ = lab_.content();
    for (int i = 0; i < 12; ++i) lab_.scribble(2 * kMiB + static_cast<std::uint64_t>(i) * 500'000, 3000);
    ASSERT_TRUE(lab_.backup("more.tti", "full.tti"));
    after_ = lab_.content();
    auto elsewhere = std::make_shared<MemoryPlace>();
    elsewhere->put("full.tti", lab_.place->get("full.tti"));
    ASSERT_TRUE(lab_.place->remove("full.tti"));
    base_ = std::make_shared<CountingPlace>(elsewhere);
  }

  Result<RestoreReport> restore(std::shared_ptr<Drive> target) {
    const std::shared_ptr<ImageReader> image = TRY(lab_.open("more.tti", {{base_, "full.tti"}}));
    JobContext context{lab_.events, lab_.cancel, lab_.clock, lab_.random, 2};
    RestoreRequest r;
    const Layout now = TRY(read_layout(*target));
    r.plan = TRY(plan_restore(image->catalog(), target->info(), now, {}, {}, lab_.random));
    r.image = image;
    r.target = std::move(target);
    r.delta = true;
    return run_restore(r, context);
  }

  std::shared_ptr<Drive> drive_with(ByteSpan bytes) {
    auto drive = make_memory_drive(bytes.size());
    EXPECT_TRUE(drive->write(0, bytes));
    return drive;
  }

  ChainLab lab_{5};
  Bytes before_, after_;
  std::shared_ptr<CountingPlace> base_;
};

TEST_F(DeltaOfChain, ReadsNextToNothingOfTheBaseWhenTheTargetIsInItsState) {
  const auto target = drive_with(before_);
  const auto report = restore(target);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(lab_.content(*target), after_);
  EXPECT_LT(report->written_bytes, kMiB);
  EXPECT_LT(base_->bytes_read, kMiB);  // the chunks whose beginnings are written last
}

TEST_F(DeltaOfChain, TurnsToTheBaseWhereTheTargetIsSomethingElse) {
  Bytes other = before_;
  for (int i = 0; i < 12; ++i) other[2 * kMiB + static_cast<std::size_t>(i) * 500'000 + 70'000] ^= std::byte{0xFF};
  const auto target = drive_with(other);
  const auto report = restore(target);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(lab_.content(*target), after_);
  EXPECT_GT(base_->bytes_read, 3 * kMiB);
}

TEST_F(DeltaOfChain, TellsDamageOfTheDeltaItself) {
  Bytes bytes = lab_.place->get("more.tti");
  bytes[8192] ^= std::byte{1};  // the first frames behind the header: prologue or chunks
  for (std::size_t i = 5000; i < 60'000 && i + 200'000 < bytes.size(); i += 1000) bytes[i] ^= std::byte{1};
  lab_.place->put("more.tti", bytes);
  const auto report = restore(drive_with(before_));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::corrupt);
}

}  // namespace
}  // namespace tintype::test
