// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>

#include "base/environment.h"
#include "drive/faulty_drive.h"
#include "drive/open.h"
#include "drive/rescue.h"
#include "support/scratch.h"

namespace tintype {
namespace {

constexpr std::uint64_t kSize = 8U << 20;

std::shared_ptr<Drive> filled_drive(std::uint32_t sector_bytes = 512) {
  auto drive = make_memory_drive(kSize, sector_bytes);
  Bytes data(kSize, std::byte{0x5A});
  EXPECT_TRUE(drive->write(0, data));
  return drive;
}

TEST(FaultyDrive, ABadRangeFailsAtItsExactByteAndTheRestIsRead) {
  auto drive = make_faulty_drive(filled_drive(), {.read_bad = {{.range = {4096, 512}}}});
  Bytes out(8192);
  const auto result = drive->read(0, out);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::io);
  EXPECT_EQ(result.error().os_error, EIO);
  EXPECT_EQ(result.error().offset_bytes, 4096U);
  EXPECT_EQ(out[4095], std::byte{0x5A});
  EXPECT_TRUE(drive->read(4608, out));
  EXPECT_EQ(drive->read(4607, out).error().offset_bytes, 4607U);
}

TEST(FaultyDrive, FailsAsOftenAsToldThenWorks) {
  auto drive = make_faulty_drive(filled_drive(), {.read_bad = {{.range = {0, 512}, .failures = 2}}});
  Bytes out(512);
  EXPECT_FALSE(drive->read(0, out));
  EXPECT_FALSE(drive->read(0, out));
  EXPECT_TRUE(drive->read(0, out));
}

TEST(FaultyDrive, FullDeadAndForgetfulDrives) {
  const Bytes data(1000, std::byte{1});
  auto inner = make_memory_drive(kSize);
  auto full = make_faulty_drive(inner, {.write_full_at = 1500});
  EXPECT_TRUE(full->write(0, data));
  const auto no_space = full->write(1000, data);
  ASSERT_FALSE(no_space);
  EXPECT_EQ(no_space.error().code, ErrorCode::no_space);
  EXPECT_EQ(no_space.error().offset_bytes, 1500U);
  Bytes out(3);
  EXPECT_TRUE(inner->read(1498, out));
  EXPECT_EQ(out, (Bytes{std::byte{1}, std::byte{1}, std::byte{0}}));

  auto dead = make_faulty_drive(make_memory_drive(kSize), {.write_dead_at = 1500});
  EXPECT_TRUE(dead->write(0, data));
  EXPECT_FALSE(dead->write(0, data));
  EXPECT_FALSE(dead->read(0, out));
  EXPECT_FALSE(dead->flush());

  auto forgetful = make_faulty_drive(inner, {.lost_writes = {{4000, 8}}});
  EXPECT_TRUE(forgetful->write(3999, ByteSpan(data).first(10)));
  Bytes ten(10);
  EXPECT_TRUE(forgetful->read(3999, ten));
  EXPECT_EQ(ten.front(), std::byte{1});
  EXPECT_EQ(ten.back(), std::byte{1});
  EXPECT_TRUE(all_zero(ByteSpan(ten).subspan(1, 8)));
}

TEST(FaultyDrive, PlansAreWrittenAsText) {
  auto all = parse_faults("sdb:read-bad=0x1000+0x200,read-bad=0+512x3,write-dead-at=7;b.raw:lost=1+2,delay-ms=0,write-bad=5+10x2");
  ASSERT_TRUE(all) << all.error().message();
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ((*all)[0].path_part, "sdb");
  ASSERT_EQ((*all)[0].plan.read_bad.size(), 2U);
  EXPECT_EQ((*all)[0].plan.read_bad[0].range, (Extent{0x1000, 0x200}));
  EXPECT_EQ((*all)[0].plan.read_bad[0].failures, 0U);
  EXPECT_EQ((*all)[0].plan.read_bad[1].range, (Extent{0, 512}));
  EXPECT_EQ((*all)[0].plan.read_bad[1].failures, 3U);
  EXPECT_EQ((*all)[0].plan.write_dead_at, 7U);
  EXPECT_EQ((*all)[1].plan.lost_writes, (std::vector<Extent>{{1, 2}}));
  EXPECT_EQ((*all)[1].plan.write_bad[0].range, (Extent{5, 10}));
  EXPECT_EQ((*all)[1].plan.write_bad[0].failures, 2U);
  for (const char* bad : {"a:read-bad=1", "a:x=1", "a:write-dead-at=", "a:read-bad=1+2x0", "a:lost=18446744073709551615+2"}) {
    const auto result = parse_faults(bad);
    ASSERT_FALSE(result) << bad;
    EXPECT_EQ(result.error().code, ErrorCode::usage);
  }
}

#ifdef TINTYPE_TEST_HOOKS
TEST(FaultyDrive, TheEnvironmentMakesAnOpenedDriveFail) {
  auto file = test::ScratchFile::make(kSize);
  ASSERT_TRUE(file);
  const std::string path = file->path().string();
  ::setenv("TINTYPE_TEST_FAULTS", (path + ":read-bad=4096+512").c_str(), 1);
  auto drive = open_drive(path);
  ::unsetenv("TINTYPE_TEST_FAULTS");
  ASSERT_TRUE(drive);
  Bytes out(512);
  EXPECT_TRUE((*drive)->read(0, out));
  EXPECT_FALSE((*drive)->read(4096, out));
}
#endif

// Whatever the pattern of bad sectors, exactly they come back as bad, and everything else as it was.
TEST(Rescue, FindsExactlyTheBadSectors) {
  SeededRandom random(11);
  for (int round = 0; round < 60; ++round) {
    const std::uint32_t sector = round % 3 == 0 ? 4096 : 512;
    FaultPlan plan;
    ExtentSet expected;
    plan.stats = std::make_shared<FaultStats>();
    const std::uint64_t start = std::uint64_t{sector} * 3, length = (2U << 20) - 1000U;
    for (int i = 0; i < round % 7 + 1; ++i) {
      std::array<std::byte, 8> r{};
      ASSERT_TRUE(random.fill(r));
      const std::uint64_t count = i == 0 && round % 5 == 0 ? 700 : 1 + u8(r, 7) % 5;
      const Extent bad{le32(r, 0) % (3U << 20) / sector * sector, count * sector};
      plan.read_bad.push_back({.range = bad});
      expected.add(bad);
    }
    auto drive = make_faulty_drive(filled_drive(sector), plan);
    Bytes out(length, std::byte{0xEE});
    const auto bad = rescue_read(*drive, start, out);
    ASSERT_TRUE(bad) << bad.error().message();
    // A last part of a sector is bad or good as a whole, too.
    EXPECT_EQ(*bad, expected.clipped({start, length})) << round;
    for (std::uint64_t i = 0; i < length; ++i)
      ASSERT_EQ(out[i], bad->contains(start + i) ? std::byte{0} : std::byte{0x5A}) << i;
    EXPECT_LT(plan.stats->reads, 3 * expected.total_bytes() / sector + 500);
  }
}

TEST(Rescue, AGoodDriveIsReadOnce) {
  FaultPlan plan{.stats = std::make_shared<FaultStats>()};
  auto drive = make_faulty_drive(filled_drive(), plan);
  Bytes out(1 << 20);
  const auto bad = rescue_read(*drive, 0, out);
  ASSERT_TRUE(bad);
  EXPECT_TRUE(bad->empty());
  EXPECT_EQ(plan.stats->reads, 1U);
}

TEST(Rescue, RetriesBringBackWhatFailsNowAndThen) {
  const FaultPlan plan{.read_bad = {{.range = {512, 512}, .failures = 4}, {.range = {8192, 512}}}};
  Bytes out(16384);
  auto patient = rescue_read(*make_faulty_drive(filled_drive(), plan), 0, out, {.retries = 20});
  ASSERT_TRUE(patient);
  EXPECT_EQ(patient->items(), (std::vector<Extent>{{8192, 512}}));
  auto hasty = rescue_read(*make_faulty_drive(filled_drive(), {.read_bad = {{.range = {512, 512}, .failures = 50}}}), 0, out, {.retries = 0});
  ASSERT_TRUE(hasty);
  EXPECT_EQ(hasty->items(), (std::vector<Extent>{{512, 512}}));
}

TEST(Rescue, TimeAndCancelEndIt) {
  Bytes out(1 << 20, std::byte{0xEE});
  const FaultPlan plan{.read_bad = {{.range = {0, kSize}}}, .delay = std::chrono::milliseconds(5)};
  auto drive = make_faulty_drive(filled_drive(), plan);
  const auto started = std::chrono::steady_clock::now();
  auto bad = rescue_read(*drive, 0, out, {.time_limit = std::chrono::milliseconds(100)});
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(5));
  ASSERT_TRUE(bad);
  EXPECT_EQ(bad->items(), (std::vector<Extent>{{0, out.size()}}));
  EXPECT_TRUE(all_zero(out));
  CancelToken cancel;
  cancel.cancel();
  auto cancelled = rescue_read(*drive, 0, out, {.cancel = &cancel});
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, ErrorCode::cancelled);
  EXPECT_EQ(rescue_read(*drive, kSize, out).error().code, ErrorCode::out_of_bounds);
}

}  // namespace
}  // namespace tintype
