// SPDX-License-Identifier: GPL-3.0-or-later
// What a restore, a comparison and a backup do with what is not as it should be.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "drive/faulty_drive.h"
#include "job/backup.h"
#include "job/compare.h"
#include "job/restore.h"
#include "job/restore_steps.h"
#include "layout/edit.h"
#include "layout/render.h"

namespace tintype {
namespace {

constexpr std::uint64_t kMiB = 1U << 20;

// Finds out whether two threads call at once.
class WatchfulEvents final : public Events {
 public:
  void stage(const std::string&, std::uint64_t) override { call(); }
  void progress(const Progress&) override { call(); }
  void message(const Message&) override { call(); }
  Answer ask(const Question&) override {
    call();
    return answer;
  }
  std::atomic<bool> overlapped{false};
  std::atomic<unsigned> calls{0};
  Answer answer = Answer::abort;

 private:
  void call() {
    if (inside_.exchange(true)) overlapped = true;
    ++calls;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    inside_ = false;
  }
  std::atomic<bool> inside_{false};
};

class RestoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "tintype-restore-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    place_ = *open_local_place(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // One partition of this size at 1 MiB, filled with noise, on a drive of 24 MiB.
  static std::shared_ptr<Drive> make_source(TableKind kind = TableKind::mbr, std::uint64_t sectors = 20 * kMiB / 512, std::uint8_t type = 0x83) {
    auto drive = make_memory_drive(24 * kMiB);
    SeededRandom random(1);
    Layout layout = *make_layout(kind, 24 * kMiB / 512, 512, random);
    Partition wanted;
    wanted.mbr_type = type;
    wanted.sector_count = sectors;
    layout = add_partition(layout, wanted, {}, random)->layout;
    Bytes noise(kMiB + sectors * 512 - 36 * 512);
    EXPECT_TRUE(random.fill(noise));
    EXPECT_TRUE(drive->write(36 * 512, noise));
    const auto tables = render_tables(layout, 24 * kMiB / 512);
    for (const TableSectors& t : *tables) EXPECT_TRUE(drive->write(t.start_sector * 512, t.bytes));
    return drive;
  }

  Result<BackupReport> backup(std::shared_ptr<Drive> drive, bool allow_errors = false) {
    BackupRequest r;
    r.layout = TRY(read_layout(*drive));
    r.drive = std::move(drive);
    r.place = place_;
    r.image = "pc.tti";
    r.allow_errors = allow_errors;
    return run_backup(r, context_);
  }
  std::shared_ptr<ImageReader> image() {
    return *ImageReader::open(place_, "pc.tti", []() -> Result<std::string> { return fail(ErrorCode::denied, ""); });
  }
  Result<RestoreReport> restore(std::shared_ptr<Drive> target, bool allow_errors = false) {
    RestoreRequest r;
    r.image = image();
    const Layout before = TRY(read_layout(*target));
    r.plan = TRY(plan_restore(r.image->catalog(), target->info(), before, {}, {}, random_));
    r.target = std::move(target);
    r.compare_after = true;
    r.allow_errors = allow_errors;
    return run_restore(r, context_);
  }
  static Bytes contents(Drive& drive) {
    Bytes bytes(drive.size_bytes());
    EXPECT_TRUE(drive.read(0, bytes));
    return bytes;
  }
  void expect_exact(std::shared_ptr<Drive> source) {
    auto target = make_memory_drive(source->size_bytes());
    const auto report = restore(target);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(contents(*source), contents(*target));
  }

  std::string folder_;
  std::shared_ptr<Place> place_;
  WatchfulEvents events_;
  CancelToken cancel_;
  SeededRandom random_{42};
  FixedClock clock_{std::chrono::sys_seconds(std::chrono::seconds(1795439109))};
  JobContext context_{events_, cancel_, clock_, random_, 4};
};

FaultPlan scattered(bool writes) {
  FaultPlan plan;
  for (std::uint64_t mib = 2; mib < 20; ++mib) (writes ? plan.write_bad : plan.read_bad).push_back({{mib * kMiB + 512 * 8, 512}});
  return plan;
}

TEST_F(RestoreTest, ListenersAreCalledByOneThreadAtATime) {
  auto source = make_source();
  ASSERT_TRUE(backup(make_faulty_drive(source, scattered(false)), true));
  ASSERT_TRUE(restore(make_faulty_drive(make_memory_drive(24 * kMiB), scattered(true)), true));
  EXPECT_GT(events_.calls, 30U);
  EXPECT_FALSE(events_.overlapped);
}

TEST_F(RestoreTest, AComparisonLeavesOutWhatTheSourceCannotGive) {
  auto faulty = make_faulty_drive(make_source(), scattered(false));
  ASSERT_TRUE(backup(faulty, true));
  const auto opened = image();
  const auto report = run_compare({opened, faulty, source_plan(opened->catalog())}, context_);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_TRUE(report->equal());
  // Everything else still counts.
  const Bytes other(1, std::byte{1});
  ASSERT_TRUE(faulty->write(2 * kMiB + 512 * 9, other));
  EXPECT_FALSE(run_compare({opened, faulty, source_plan(opened->catalog())}, context_)->equal());
}

TEST_F(RestoreTest, UnwritableSectorsAreABadSectorOutcomeAlsoWhenCompared) {
  ASSERT_TRUE(backup(make_source()));
  const auto report = restore(make_faulty_drive(make_memory_drive(24 * kMiB), scattered(true)), true);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->outcome, Outcome::with_bad_sectors);
  EXPECT_EQ(report->unwritable_bytes, 18U * 512);
}

TEST_F(RestoreTest, WritesThatAFlushReportsAsLostAreFoundByWritingAgain) {
  auto source = make_source();
  ASSERT_TRUE(backup(source));
  const Extent bad{5 * kMiB + 4096, 512};
  auto stats = std::make_shared<FaultStats>();
  auto kept = make_memory_drive(24 * kMiB);
  const auto report = restore(make_faulty_drive(kept, {.late_bad = {bad}, .stats = stats}), true);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->outcome, Outcome::with_bad_sectors);
  EXPECT_EQ(report->unwritable_bytes, bad.length);
  EXPECT_GT(stats->bytes_written, 2 * report->written_bytes - kMiB);
  Bytes wanted = contents(*source);
  std::fill_n(wanted.begin() + static_cast<std::ptrdiff_t>(bad.start), bad.length, std::byte{0});
  EXPECT_TRUE(contents(*kept) == wanted);
  // Nobody allows it: the place is told, and the target does not look whole.
  auto half = make_memory_drive(24 * kMiB);
  const auto failed = restore(make_faulty_drive(half, {.late_bad = {bad}}));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().offset_bytes, bad.start);
  EXPECT_TRUE(all_zero(ByteSpan(contents(*half)).first(512)));
}

TEST_F(RestoreTest, WhatWasLostInTheHeadOfAPartitionIsSaid) {
  auto source = make_source(TableKind::mbr, 64);
  FaultPlan plan;
  plan.read_bad.push_back({{kMiB + 4096, 512}});
  ASSERT_TRUE(backup(make_faulty_drive(source, plan), true));
  RestoreOptions options;
  options.partition = 1;
  options.where = RestoreOptions::Where::partition;
  auto target = make_memory_drive(kMiB);
  RestoreRequest r;
  r.image = image();
  auto made = plan_restore(r.image->catalog(), target->info(), *read_layout(*target), options, {}, random_);
  ASSERT_TRUE(made) << made.error().message();
  r.plan = std::move(*made);
  r.target = target;
  const auto report = run_restore(r, context_);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->outcome, Outcome::with_bad_sectors);
}

TEST_F(RestoreTest, APartitionWithoutAReadableBeginningIsSavedAllTheSame) {
  FaultPlan plan;
  plan.read_bad.push_back({{kMiB, 512}});
  auto faulty = make_faulty_drive(make_source(), plan);
  const auto refused = backup(faulty);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::io);
  const auto report = backup(faulty, true);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->unreadable_bytes, 512U);
}

TEST_F(RestoreTest, ADynamicDiskIsSavedAsAWhole) {
  auto source = make_source(TableKind::mbr, 20 * kMiB / 512, 0x42);
  const Bytes database(512, std::byte{'L'});
  ASSERT_TRUE(source->write(24 * kMiB - 2048, database));
  ASSERT_TRUE(backup(source));
  expect_exact(source);
}

TEST_F(RestoreTest, ATableWithProblemsIsSavedAndRestoredAsAWhole) {
  auto source = make_source();
  Bytes sector(512);
  ASSERT_TRUE(source->read(0, sector));
  // A second entry that overlaps the first.
  std::copy_n(sector.begin() + 446, 16, sector.begin() + 462);
  sector[462 + 9] = std::byte{0x10};
  ASSERT_TRUE(source->write(0, sector));
  ASSERT_TRUE(backup(source));
  const auto opened = image();
  ASSERT_EQ(opened->catalog().areas.size(), 1U);
  EXPECT_EQ(opened->catalog().areas[0].kind, AreaKind::drive);
  EXPECT_EQ(opened->catalog().layout.partitions.size(), 2U);
  expect_exact(source);
}

TEST_F(RestoreTest, OverlappingGptPartitionsAreSavedAsAWhole) {
  auto source = make_source(TableKind::gpt);
  Layout layout = *read_layout(*source);
  Partition second = layout.partitions[0];
  second.id = 2;
  second.start_sector += 100;
  second.sector_count -= 100;
  layout.partitions.push_back(second);
  const auto tables = render_tables(layout, 24 * kMiB / 512);
  for (const TableSectors& t : *tables) ASSERT_TRUE(source->write(t.start_sector * 512, t.bytes));
  ASSERT_TRUE(backup(source));
  EXPECT_EQ(image()->catalog().areas.size(), 1U);
  expect_exact(source);
}

TEST_F(RestoreTest, ADamagedPrimaryGptComesBackRepaired) {
  auto source = make_source(TableKind::gpt);
  const Bytes wanted = contents(*source);
  const Bytes garbage(3 * 512, std::byte{7});
  ASSERT_TRUE(source->write(512, garbage));
  ASSERT_TRUE(backup(source));
  auto target = make_memory_drive(24 * kMiB);
  const auto report = restore(target);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(wanted, contents(*target));
}

// ---- the hidden-sectors field ----

void put16(Bytes& bytes, std::size_t at, std::uint16_t value) { store_le(MutableByteSpan(bytes), at, value); }

Bytes boot_sector(FsType type, std::uint16_t sector_bytes, std::uint64_t sectors) {
  Bytes boot(512);
  const std::string_view name = type == FsType::ntfs ? "NTFS    " : "mkfs.fat";
  std::ranges::copy(std::as_bytes(std::span(name)), boot.begin() + 3);
  put16(boot, 0x0B, sector_bytes);
  put16(boot, 0x1FE, 0xAA55);
  if (type == FsType::ntfs)
    store_le(MutableByteSpan(boot), 0x28, sectors);
  else
    put16(boot, 0x0E, 32);
  return boot;
}

TEST(HiddenSectors, NtfsKeepsItsBackupBehindItsSectors) {
  for (const std::uint16_t sector : std::initializer_list<std::uint16_t>{512, 4096}) {
    auto drive = make_memory_drive(4 * kMiB);
    const std::uint64_t sectors = kMiB / sector - 1;  // smaller than its partition
    const Bytes boot = boot_sector(FsType::ntfs, sector, sectors);
    ASSERT_TRUE(drive->write(kMiB, boot));
    const HiddenSectorsFix fix{kMiB, 2 * kMiB, FsType::ntfs, 7};
    EXPECT_EQ(fields_on(*drive, fix)->size(), 1U);  // data lies where a backup could be
    ASSERT_TRUE(drive->write(2 * kMiB - sector, boot));
    const auto fields = fields_on(*drive, fix);
    ASSERT_EQ(fields->size(), 2U);
    EXPECT_EQ((*fields)[0], (Extent{kMiB + 0x1C, 4}));
    EXPECT_EQ((*fields)[1], (Extent{2 * kMiB - sector + 0x1C, 4}));
  }
}

TEST(HiddenSectors, Fat32SaysWhereItsBackupIs) {
  auto drive = make_memory_drive(4 * kMiB);
  const HiddenSectorsFix fix{kMiB, 2 * kMiB, FsType::fat32, 7};
  for (const std::uint16_t backup : std::initializer_list<std::uint16_t>{0, 6, 12}) {
    Bytes boot = boot_sector(FsType::fat32, 512, 0);
    put16(boot, 0x32, backup);
    ASSERT_TRUE(drive->zero(0, 4 * kMiB));
    ASSERT_TRUE(drive->write(kMiB, boot));
    EXPECT_EQ(fields_on(*drive, fix)->size(), 1U) << backup;
    if (backup == 0) continue;
    ASSERT_TRUE(drive->write(kMiB + backup * 512U, boot));
    const auto fields = fields_on(*drive, fix);
    ASSERT_EQ(fields->size(), 2U);
    EXPECT_EQ((*fields)[1].start, kMiB + backup * 512U + 0x1C);
  }
}

TEST(HiddenSectors, WhatIsNoBootSectorIsLeftAlone) {
  auto drive = make_memory_drive(4 * kMiB);
  EXPECT_TRUE(fields_on(*drive, {kMiB, 2 * kMiB, FsType::ntfs, 7})->empty());
  EXPECT_TRUE(fields_on(*drive, {kMiB, 2 * kMiB, FsType::fat16, 7})->empty());
}

}  // namespace
}  // namespace tintype
