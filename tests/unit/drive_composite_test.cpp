// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "base/environment.h"
#include "drive/composite_drive.h"
#include "drive/faulty_drive.h"

namespace tintype {
namespace {

Bytes noise(std::size_t length, std::uint64_t seed) {
  Bytes bytes(length);
  SeededRandom random(seed);
  EXPECT_TRUE(random.fill(bytes));
  return bytes;
}

DriveInfo info_of(std::uint64_t size) {
  DriveInfo info;
  info.size_bytes = size;
  info.path = "whole";
  return info;
}

TEST(CompositeDrive, EarlierPiecesLieAboveLaterOnesAndHolesAreNotSaved) {
  const Bytes low = noise(6000, 1), high = noise(500, 2);
  auto made = make_composite(info_of(10'000), {{{3000, 500}, drive_of(high), 0}, {{1000, 5000}, drive_of(low), 700}});
  ASSERT_TRUE(made);
  Bytes expected(10'000);
  std::copy_n(low.begin() + 700, 5000, expected.begin() + 1000);
  std::copy_n(high.begin(), 500, expected.begin() + 3000);
  Bytes all(10'000, std::byte{0xEE});
  ASSERT_TRUE((*made)->read(0, all));
  EXPECT_TRUE(all == expected);
  for (const std::size_t at : {0U, 999U, 2990U, 3499U, 5990U, 9999U}) {
    Bytes few(std::min<std::size_t>(20, 10'000 - at));
    ASSERT_TRUE((*made)->read(at, few));
    EXPECT_TRUE(std::equal(few.begin(), few.end(), expected.begin() + static_cast<std::ptrdiff_t>(at))) << at;
  }
  std::vector<std::pair<Extent, BlockState>> states;
  for (std::uint64_t at = 0; at < 10'000;) {
    const auto status = (*made)->status(at, 10'000 - at);
    ASSERT_TRUE(status);
    ASSERT_EQ(status->extent.start, at);
    ASSERT_GT(status->extent.length, 0U);
    if (status->state == BlockState::not_saved) states.push_back({status->extent, status->state});
    at = status->extent.end();
  }
  ASSERT_EQ(states.size(), 2U);
  EXPECT_EQ(states[0].first, (Extent{0, 1000}));
  EXPECT_EQ(states[1].first, (Extent{6000, 4000}));
}

TEST(CompositeDrive, APieceLongerThanItsDriveEndsWithIt) {
  auto made = make_composite(info_of(4000), {{{1000, 3000}, drive_of(noise(600, 3)), 100}, {{2000, 10}, drive_of(noise(5, 3)), 7}});
  ASSERT_TRUE(made);
  Bytes all(4000);
  ASSERT_TRUE((*made)->read(0, all));
  EXPECT_TRUE(all_zero(ByteSpan(all).subspan(1500)));
  const auto status = (*made)->status(1500, 2500);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->state, BlockState::not_saved);
  EXPECT_EQ(status->extent.length, 2500U);
}

TEST(CompositeDrive, ErrorsSayWhereOnTheCompositeTheyAre) {
  FaultPlan plan;
  plan.read_bad.push_back({.range = {512, 512}});
  auto bad = make_faulty_drive(make_memory_drive(4096), plan);
  auto made = make_composite(info_of(8192), {{{4096, 2048}, bad, 256}});
  ASSERT_TRUE(made);
  Bytes all(8192);
  const auto result = (*made)->read(0, all);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().offset_bytes, 4096U + 256U);
}

TEST(CompositeDrive, CanOnlyBeReadAndKeepsToItsBounds) {
  auto made = make_composite(info_of(1000), {{{0, 1000}, drive_of(noise(1000, 4)), 0}});
  ASSERT_TRUE(made);
  EXPECT_EQ((*made)->write(0, noise(10, 5)).error().code, ErrorCode::denied);
  EXPECT_EQ((*made)->zero(0, 10).error().code, ErrorCode::denied);
  Bytes out(10);
  EXPECT_EQ((*made)->read(991, out).error().code, ErrorCode::out_of_bounds);
  EXPECT_FALSE((*made)->status(~std::uint64_t{0}, 5));
  EXPECT_FALSE(make_composite(info_of(1000), {{{1, 1000}, drive_of(out), 0}}));
}

}  // namespace
}  // namespace tintype
