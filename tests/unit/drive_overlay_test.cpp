// SPDX-License-Identifier: GPL-3.0-or-later
// A copy-on-write overlay: what is written is seen, what lies below stays, against a plain copy in memory.
#include <gtest/gtest.h>

#include <thread>

#include "base/environment.h"
#include "drive/faulty_drive.h"
#include "drive/overlay_drive.h"

namespace tintype {
namespace {

constexpr std::uint64_t kSize = (3U << 20) + 1536;

Bytes noise(std::size_t count, std::uint64_t seed) {
  Bytes out(count);
  SeededRandom random(seed);
  EXPECT_TRUE(random.fill(out));
  return out;
}

Bytes all_of(Drive& drive) {
  Bytes out(static_cast<std::size_t>(drive.size_bytes()));
  EXPECT_TRUE(drive.read(0, out));
  return out;
}

TEST(OverlayDrive, IsWhatAPlainCopyWouldBe) {
  const Bytes before = noise(kSize, 1);
  const auto below = make_memory_drive(kSize);
  ASSERT_TRUE(below->write(0, before));
  const auto overlay = make_overlay_drive(below, make_memory_drive(kSize));
  Bytes truth = before;
  SeededRandom random(2);
  for (int i = 0; i < 400; ++i) {
    std::array<std::byte, 24> dice{};
    ASSERT_TRUE(random.fill(dice));
    const std::uint64_t at = le64(dice, 0) % kSize;
    const std::uint64_t length = std::min(kSize - at, i % 5 == 0 ? le64(dice, 8) % 100'000 : le64(dice, 8) % 5000);
    if (i % 3 == 0) {
      ASSERT_TRUE(overlay->zero(at, length));
      std::fill_n(truth.begin() + static_cast<std::ptrdiff_t>(at), length, std::byte{0});
    } else {
      const Bytes data = noise(static_cast<std::size_t>(length), le64(dice, 16));
      ASSERT_TRUE(overlay->write(at, data));
      std::ranges::copy(data, truth.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }
  EXPECT_EQ(all_of(*overlay), truth);
  EXPECT_EQ(all_of(*below), before);
}

TEST(OverlayDrive, SaysWhatIsBelowWhereNothingWasWritten) {
  const auto below = make_memory_drive(kSize);
  ASSERT_TRUE(below->write(1 << 20, noise(4096, 3)));
  const auto overlay = make_overlay_drive(below, make_memory_drive(kSize));
  ASSERT_TRUE(overlay->write(8192, noise(10, 4)));
  const auto first = overlay->status(0, kSize);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->state, BlockState::hole);
  EXPECT_EQ(first->extent, (Extent{0, 8192}));
  const auto second = overlay->status(8192, kSize - 8192);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->state, BlockState::data);
  EXPECT_EQ(second->extent, (Extent{8192, 4096}));
}

TEST(OverlayDrive, NeighboursInOneBlockDoNotLoseEachOther) {
  const auto overlay = make_overlay_drive(make_memory_drive(kSize), make_memory_drive(kSize));
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (std::uint64_t i = t; i < 2000; i += 4) ASSERT_TRUE(overlay->write(i * 100, Bytes(100, static_cast<std::byte>(i))));
      });
    }
  }
  const Bytes got = all_of(*overlay);
  for (std::size_t i = 0; i < 2000; ++i) ASSERT_EQ(got[i * 100 + 50], static_cast<std::byte>(i)) << i;
}

TEST(OverlayDrive, AWriteThatFailsIsToldAndNotSeen) {
  const auto below = make_memory_drive(kSize);
  ASSERT_TRUE(below->write(0, noise(kSize, 5)));
  FaultPlan faults;
  faults.write_bad.push_back({{0, kSize}});
  const auto overlay = make_overlay_drive(below, make_faulty_drive(make_memory_drive(kSize), faults));
  EXPECT_FALSE(overlay->write(5000, Bytes(100)));
  EXPECT_EQ(all_of(*overlay), all_of(*below));
}

}  // namespace
}  // namespace tintype
