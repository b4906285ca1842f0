// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/pipeline.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <new>
#include <stdexcept>
#include <thread>

namespace tintype {
namespace {

constexpr std::size_t kItems = 200;
constexpr std::size_t kSlots = 6;

// Every test ends, or the test's time limit does it: a pipeline that waits for nobody is what is looked for.
class PipelineTest : public ::testing::TestWithParam<unsigned> {
 protected:
  PipelineSteps good() {
    PipelineSteps steps;
    steps.produce = [this](std::size_t slot) -> Result<bool> {
      if (made_ == kItems) return false;
      item_[slot] = made_++;
      return true;
    };
    steps.work = [](unsigned, std::size_t) -> Result<void> { return {}; };
    steps.consume = [this](std::size_t slot) -> Result<void> {
      EXPECT_EQ(item_[slot], taken_);
      ++taken_;
      return {};
    };
    return steps;
  }
  Result<void> run(const PipelineSteps& steps) { return run_pipeline(GetParam(), kSlots, cancel_, steps); }

  CancelToken cancel_;
  std::array<std::size_t, kSlots> item_{};
  std::size_t made_ = 0, taken_ = 0;
};

TEST_P(PipelineTest, TakesResultsInOrder) {
  ASSERT_TRUE(run(good()));
  EXPECT_EQ(taken_, kItems);
}

TEST_P(PipelineTest, WhatWasProducedBeforeAFailureIsTaken) {
  PipelineSteps steps = good();
  steps.produce = [this](std::size_t slot) -> Result<bool> {
    if (made_ == 50) return fail(ErrorCode::corrupt, "the index ends");
    item_[slot] = made_++;
    return true;
  };
  const auto result = run(steps);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::corrupt);
  EXPECT_EQ(taken_, 50U);
}

TEST_P(PipelineTest, TheFirstFailureInOrderIsReturned) {
  PipelineSteps steps = good();
  steps.work = [this](unsigned, std::size_t slot) -> Result<void> {
    if (item_[slot] == 20) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (item_[slot] >= 20) return fail(ErrorCode::io, std::to_string(item_[slot]));
    return {};
  };
  const auto result = run(steps);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().what, "20");
  EXPECT_EQ(taken_, 20U);
}

TEST_P(PipelineTest, MemoryThatCannotBeHadIsAnError) {
  PipelineSteps steps = good();
  steps.work = [this](unsigned, std::size_t slot) -> Result<void> {
    if (item_[slot] == 7) throw std::bad_alloc();
    return {};
  };
  EXPECT_FALSE(run(steps));
  EXPECT_EQ(taken_, 7U);
}

TEST_P(PipelineTest, AnExceptionWhileProducingIsAnError) {
  PipelineSteps steps = good();
  steps.produce = [](std::size_t) -> Result<bool> { throw std::bad_alloc(); };
  EXPECT_FALSE(run(steps));
}

TEST_P(PipelineTest, AnExceptionOfTheConsumerDoesNotLeaveTheWorkersWaiting) {
  PipelineSteps steps = good();
  steps.consume = [this](std::size_t) -> Result<void> {
    if (++taken_ == 3) throw std::runtime_error("a listener failed");
    return {};
  };
  EXPECT_FALSE(run(steps));
  EXPECT_EQ(taken_, 3U);
}

TEST_P(PipelineTest, CancellingStopsSoon) {
  PipelineSteps steps = good();
  steps.consume = [this](std::size_t) -> Result<void> {
    if (++taken_ == 3) cancel_.cancel();
    return {};
  };
  const auto result = run(steps);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::cancelled);
  EXPECT_LE(made_, 3 + 2 * kSlots);
}

INSTANTIATE_TEST_SUITE_P(Workers, PipelineTest, ::testing::Values(1U, 2U, 5U, 9U));

}  // namespace
}  // namespace tintype
