// SPDX-License-Identifier: GPL-3.0-or-later
// Gentle requests: small, one at a time in each direction, a pause after each; and the same bytes as without.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/environment.h"
#include "drive/gentle_drive.h"

namespace tintype {
namespace {

// Remembers how it was asked.
class WatchedDrive final : public Drive {
 public:
  explicit WatchedDrive(std::uint64_t size) : inner_(make_memory_drive(size)) {}
  const DriveInfo& info() const override { return inner_->info(); }
  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    return watch(reading_, out.size(), [&] { return inner_->read(offset, out); });
  }
  Result<void> write(std::uint64_t offset, ByteSpan data) override {
    return watch(writing_, data.size(), [&] { return inner_->write(offset, data); });
  }
  Result<void> zero(std::uint64_t offset, std::uint64_t length) override { return inner_->zero(offset, length); }
  Result<void> flush() override { return inner_->flush(); }
  void will_need(std::uint64_t, std::uint64_t length) override { asked_ahead = std::max<std::uint64_t>(asked_ahead, length); }

  std::atomic<std::size_t> requests{0}, largest{0}, most_at_once{0};
  std::uint64_t asked_ahead = 0;

 private:
  template <class Work>
  Result<void> watch(std::atomic<std::size_t>& busy, std::size_t bytes, const Work& work) {
    ++requests;
    raise(largest, bytes);
    raise(most_at_once, ++busy);
    std::this_thread::yield();
    const Result<void> result = work();
    --busy;
    return result;
  }
  static void raise(std::atomic<std::size_t>& most, std::size_t value) {
    for (std::size_t now = most; now < value && !most.compare_exchange_weak(now, value);) {
    }
  }

  std::shared_ptr<Drive> inner_;
  std::atomic<std::size_t> reading_{0}, writing_{0};
};

Bytes noise(std::size_t count) {
  Bytes bytes(count);
  SeededRandom random(count);
  EXPECT_TRUE(random.fill(bytes));
  return bytes;
}

TEST(GentleDrive, AsksInSmallPiecesOneAtATimeWithPauses) {
  std::atomic<std::size_t> pauses{0};
  const auto pacer = std::make_shared<Pacer>([&](Pacer::Duration) { ++pauses; });
  const auto watched = std::make_shared<WatchedDrive>(8U << 20);
  const std::shared_ptr<Drive> gentle = make_gentle_drive(watched, pacer);
  const Bytes data = noise((1U << 20) + 777);
  std::vector<std::jthread> threads;
  for (std::uint64_t i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      EXPECT_TRUE(gentle->write(i * (2U << 20) + 3, data));
      Bytes back(data.size());
      EXPECT_TRUE(gentle->read(i * (2U << 20) + 3, back));
      EXPECT_EQ(back, data);
    });
  threads.clear();
  EXPECT_EQ(watched->largest, Pacer::kMostBytes);
  EXPECT_EQ(watched->most_at_once, 1U);  // in each direction
  EXPECT_EQ(watched->requests, 4U * 2U * 17U);
  EXPECT_EQ(pauses, watched->requests);
  EXPECT_LE(watched->asked_ahead, Pacer::kMostBytes);
  gentle->will_need(0, 4U << 20);
  EXPECT_LE(watched->asked_ahead, Pacer::kMostBytes);
}

TEST(GentleDrive, KeepsTheContract) {
  const std::shared_ptr<Drive> inner = make_memory_drive(1U << 20);
  const std::shared_ptr<Drive> gentle = make_gentle_drive(inner, std::make_shared<Pacer>());
  Bytes out(200 * 1024);
  const Result<void> outside = gentle->read((1U << 20) - 100, out);
  ASSERT_FALSE(outside);
  EXPECT_EQ(outside.error().code, ErrorCode::out_of_bounds);
  ASSERT_TRUE(inner->write(0, noise(1U << 20)));
  ASSERT_TRUE(gentle->zero(0, 1U << 20));
  ASSERT_TRUE(gentle->flush());
  ASSERT_TRUE(inner->read(0, out));
  EXPECT_TRUE(std::ranges::all_of(out, [](std::byte b) { return b == std::byte{0}; }));
}

TEST(Pacer, PausesAsLongAsTheRequestTookButNotForLong) {
  using namespace std::chrono_literals;
  EXPECT_EQ(Pacer::pause_after(3ms), 3ms);
  EXPECT_EQ(Pacer::pause_after(5s), Pacer::kLongestPause);
  EXPECT_EQ(Pacer::pause_after(-1ms), 0ms);
}

}  // namespace
}  // namespace tintype
