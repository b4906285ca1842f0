// SPDX-License-Identifier: GPL-3.0-or-later
// Delta restore: it gives what a full restore gives, from any state of the target, and writes only what differs.
#include "drive/faulty_drive.h"
#include "image_fixture.h"
#include "job/restore.h"
#include "layout/edit.h"
#include "layout/render.h"
#include "support/memory_place.h"

namespace tintype {
namespace {

using test::ImageLab;

constexpr std::uint64_t kMiB = 1U << 20;
constexpr std::uint64_t kDriveBytes = 12 * kMiB;

Bytes noise(std::size_t count, std::uint64_t seed) {
  Bytes out(count);
  SeededRandom random(seed);
  EXPECT_TRUE(random.fill(out));
  return out;
}

Bytes contents(Drive& drive) {
  Bytes bytes(static_cast<std::size_t>(drive.size_bytes()));
  EXPECT_TRUE(drive.read(0, bytes));
  return bytes;
}

std::shared_ptr<Drive> drive_with(ByteSpan bytes) {
  auto drive = make_memory_drive(bytes.size());
  EXPECT_TRUE(drive->write(0, bytes));
  return drive;
}

class DeltaTest : public ::testing::Test {
 protected:
  // Two partitions: noise with zeros in between, and some text. Both are of no known file system, so all of them is in use.
  void SetUp() override {
    source_ = make_memory_drive(kDriveBytes);
    SeededRandom random(1);
    Layout layout = *make_layout(TableKind::mbr, kDriveBytes / 512, 512, random);
    Partition wanted;
    wanted.mbr_type = 0x83;
    for (const std::uint64_t mib : {6, 4}) {
      wanted.sector_count = mib * kMiB / 512;
      layout = add_partition(layout, wanted, {}, random)->layout;
    }
    const auto tables = render_tables(layout, kDriveBytes / 512);
    for (const TableSectors& t : *tables) ASSERT_TRUE(source_->write(t.start_sector * 512, t.bytes));
    ASSERT_TRUE(source_->write(kMiB, noise(2 * kMiB + 512, 2)));
    ASSERT_TRUE(source_->write(7 * kMiB, Bytes(3 * kMiB + 1000, std::byte{'t'})));
    BackupRequest request = lab_.request(source_, place_);
    request.layout = *read_layout(*source_);
    ASSERT_TRUE(lab_.backup(request, 1));
    image_ = *lab_.open(place_);
  }

  Result<RestoreReport> restore(std::shared_ptr<Drive> target, bool delta, bool compare = true, const RestoreOptions& options = {}) {
    SeededRandom random(3);
    JobContext context{lab_.events, lab_.cancel, lab_.clock, random, 2};
    RestoreRequest r;
    r.image = image_;
    const Layout before = TRY(read_layout(*target));
    r.plan = TRY(plan_restore(image_->catalog(), target->info(), before, options, {}, random));
    r.target = std::move(target);
    r.compare_after = compare;
    r.delta = delta;
    return run_restore(r, context);
  }

  // What a full restore makes of a drive with these bytes.
  Bytes after_full_restore(ByteSpan bytes) {
    auto target = drive_with(bytes);
    const auto report = restore(target, false);
    EXPECT_TRUE(report) << report.error().message();
    return contents(*target);
  }

  ImageLab lab_;
  std::shared_ptr<test::MemoryPlace> place_ = std::make_shared<test::MemoryPlace>();
  std::shared_ptr<Drive> source_;
  std::shared_ptr<ImageReader> image_;
};

TEST_F(DeltaTest, RandomEditsAreUndoneAndLittleElseIsWritten) {
  for (std::uint64_t round = 0; round < 12; ++round) {
    Bytes bytes = contents(*source_);
    const Bytes dice = noise(400, 100 + round);
    std::uint64_t edited = 0;
    for (std::size_t i = 0; i < 40; ++i) {
      const std::uint64_t at = le32(dice, i * 8) % kDriveBytes;
      const std::uint64_t length = std::min<std::uint64_t>(1 + le32(dice, i * 8 + 4) % (i % 4 == 0 ? 20000 : 600), kDriveBytes - at);
      for (std::uint64_t k = 0; k < length; ++k) bytes[static_cast<std::size_t>(at + k)] ^= std::byte{0x5A};
      edited += length + 2 * 4096;
    }
    const Bytes wanted = after_full_restore(bytes);
    auto target = drive_with(bytes);
    auto stats = std::make_shared<FaultStats>();
    FaultPlan watch;
    watch.stats = stats;
    const auto report = restore(make_faulty_drive(target, watch), true);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(contents(*target), wanted) << round;
    // Beside the edits: wiped ends of the drive and its partitions, and what was theirs again.
    EXPECT_LT(stats->bytes_written, edited + 2 * kMiB);
    EXPECT_LE(report->written_bytes, edited + kMiB);
    EXPECT_GT(report->compared_bytes, 9 * kMiB);
  }
}

TEST_F(DeltaTest, FromAnyOtherStateItIsAFullRestore) {
  const Bytes other = noise(kDriveBytes, 7);
  for (const Bytes& bytes : {other, Bytes(kDriveBytes), Bytes(kDriveBytes, std::byte{0xFF})}) {
    auto target = drive_with(bytes);
    const auto report = restore(target, true);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(contents(*target), after_full_restore(bytes));
  }
}

TEST_F(DeltaTest, FinishesARestoreThatWasCutOffAtAnyPoint) {
  const Bytes before = noise(kDriveBytes, 8);
  const Bytes wanted = after_full_restore(before);
  auto stats = std::make_shared<FaultStats>();
  FaultPlan watch;
  watch.stats = stats;
  ASSERT_TRUE(restore(make_faulty_drive(drive_with(before), watch), false));
  const std::uint64_t all = stats->bytes_written;
  ASSERT_GT(all, 9 * kMiB);
  const Bytes dice = noise(4 * 60, 9);
  for (std::size_t i = 0; i < 60; ++i) {
    // Every part of the run, and the last writes (tables) one by one.
    const std::uint64_t at = i < 48 ? (i * all + le32(dice, i * 4) % all) / 48 : all - 1 - (i - 48) * 256;
    auto target = drive_with(before);
    FaultPlan dead;
    dead.write_dead_at = std::min(at, all - 1);
    ASSERT_FALSE(restore(make_faulty_drive(target, dead), false, false));
    if (at > 2 * kMiB) {
      EXPECT_EQ(read_layout(*target)->kind, TableKind::none) << at;
    }
    // Once more cut off, in the delta restore itself.
    if (i % 3 == 0) {
      dead.write_dead_at = kMiB + i * 1000;
      (void)restore(make_faulty_drive(target, dead), true, false);
    }
    const auto report = restore(target, true);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(contents(*target), wanted) << at;
  }
}

TEST_F(DeltaTest, WhatCannotBeReadOnTheTargetIsWritten) {
  const Bytes wanted = after_full_restore(contents(*source_));
  Bytes bytes = wanted;
  bytes[2 * kMiB + 700] ^= std::byte{1};
  auto target = drive_with(bytes);
  FaultPlan plan;
  plan.read_bad.push_back({{2 * kMiB, 512}});
  plan.read_bad.push_back({{5 * kMiB, 512}});  // the image has zeros there
  const auto report = restore(make_faulty_drive(target, plan), true, false);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(contents(*target), wanted);
  EXPECT_GE(report->written_bytes, kMiB);
}

TEST_F(DeltaTest, ZeroesOnlyWhatIsNotZero) {
  const Bytes wanted = after_full_restore(contents(*source_));
  Bytes bytes = wanted;
  bytes[5 * kMiB + 100] = std::byte{1};
  auto target = drive_with(bytes);
  const auto clean = restore(drive_with(wanted), true);
  const auto report = restore(target, true);
  ASSERT_TRUE(clean && report);
  EXPECT_EQ(contents(*target), wanted);
  EXPECT_EQ(report->written_bytes, clean->written_bytes + 4096);
}

TEST_F(DeltaTest, OnePartitionIntoItsPlaceWithItsHeadLast) {
  RestoreOptions options;
  options.partition = 1;
  Bytes bytes = contents(*source_);
  for (std::uint64_t at = kMiB; at < 7 * kMiB; at += 300 * 1024 + 77) bytes[static_cast<std::size_t>(at)] ^= std::byte{8};
  auto full = drive_with(bytes), delta = drive_with(bytes);
  ASSERT_TRUE(restore(full, false, true, options));
  const auto report = restore(delta, true, true, options);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(contents(*delta), contents(*full));
  EXPECT_LT(report->written_bytes, kMiB);
}

}  // namespace
}  // namespace tintype
