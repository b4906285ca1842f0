// SPDX-License-Identifier: GPL-3.0-or-later
// Copies from drive to drive in memory: every kind of table, other places, drives that fail, writers that stop anywhere.
#include <gtest/gtest.h>

#include <algorithm>

#include "drive/faulty_drive.h"
#include "image/image_drive.h"
#include "image_fixture.h"
#include "job/copy.h"
#include "layout/edit.h"
#include "layout/render.h"
#include "support/memory_place.h"

namespace tintype {
namespace {

constexpr std::uint64_t kMiB = 1U << 20;
constexpr std::uint64_t kDrive = 12 * kMiB;

class CopyTest : public ::testing::Test {
 protected:
  // Noise in partitions of random sizes at random distances; nothing between them.
  std::shared_ptr<Drive> make_source(TableKind kind, std::uint64_t seed = 1, std::uint64_t bytes = kDrive) {
    SeededRandom random(seed);
    auto drive = make_memory_drive(bytes);
    if (kind == TableKind::none) {
      fill(*drive, {0, bytes}, seed);
      return drive;
    }
    Layout layout = *make_layout(kind == TableKind::hybrid ? TableKind::gpt : kind, bytes / 512, 512, random);
    Bytes dice(16);
    EXPECT_TRUE(random.fill(dice));
    std::uint64_t start = 2048;
    for (std::size_t i = 0; i < 3; ++i) {
      Partition wanted;
      wanted.mbr_type = 0x83;
      wanted.sector_count = 1000 + std::to_integer<std::uint64_t>(dice[i]) * 10;
      Placement placement;
      placement.start_sector = start;
      const auto added = add_partition(layout, wanted, placement, random);
      if (!added) break;
      layout = added->layout;
      fill(*drive, {start * 512, wanted.sector_count * 512}, seed + i);
      start = round_up(start + wanted.sector_count + std::to_integer<std::uint64_t>(dice[i + 4]) * 8, 2048);
    }
    EXPECT_GE(layout.partitions.size(), 2U);
    const auto tables = render_tables(layout, bytes / 512);
    for (const TableSectors& table : *tables) EXPECT_TRUE(drive->write(table.start_sector * 512, table.bytes));
    if (kind == TableKind::hybrid) make_hybrid(*drive, layout.partitions.front());
    return drive;
  }
  // A second entry of the protective MBR, as boot loaders for old firmware add it.
  static void make_hybrid(Drive& drive, const Partition& partition) {
    Bytes sector(512);
    EXPECT_TRUE(drive.read(0, sector));
    store_le(sector, 0x1BE + 16 + 4, std::uint8_t{0x83});
    store_le(sector, 0x1BE + 16 + 8, static_cast<std::uint32_t>(partition.start_sector));
    store_le(sector, 0x1BE + 16 + 12, static_cast<std::uint32_t>(partition.sector_count));
    EXPECT_TRUE(drive.write(0, sector));
  }
  static void fill(Drive& drive, Extent where, std::uint64_t seed) {
    SeededRandom random(seed);
    Bytes noise(where.length);
    EXPECT_TRUE(random.fill(noise));
    EXPECT_TRUE(drive.write(where.start, noise));
  }
  static Bytes contents(Drive& drive, std::optional<Extent> where = {}) {
    const Extent range = where.value_or(Extent{0, drive.size_bytes()});
    Bytes bytes(range.length);
    EXPECT_TRUE(drive.read(range.start, bytes));
    return bytes;
  }
  static Extent place(Drive& drive, std::uint32_t id) {
    const Layout layout = *read_layout(drive);
    const Partition* partition = layout.find(id);
    EXPECT_NE(partition, nullptr);
    return partition == nullptr ? Extent{} : Extent{partition->start_sector * 512, partition->sector_count * 512};
  }

  struct Settings {
    RestoreOptions where = {};
    bool allow_errors = false, compare = true, fresh = false, delta = false, raw = false;
  };
  Result<CopyReport> copy(std::shared_ptr<Drive> source, std::shared_ptr<Drive> target, const Settings& settings) {
    JobContext context{events_, cancel_, clock_, random_, 3};
    AreaChoice choice{.drive = source, .layout = TRY(read_layout(*source)), .partitions = {}, .raw = settings.raw};
    if (settings.where.partition && *settings.where.partition != 0) choice.partitions = {*settings.where.partition};
    const std::vector<SourceArea> areas = TRY(choose_areas(choice, events_, cancel_));
    const Layout before = TRY(read_layout(*target));
    RestorePlan plan = TRY(plan_restore(view_of(choice, areas), target->info(), before, settings.where, {}, random_));
    const CopyRequest request{.choice = choice, .areas = areas, .target = target, .plan = std::move(plan), .compare_after = settings.compare,
                              .allow_errors = settings.allow_errors, .fresh_target = settings.fresh, .delta = settings.delta};
    return run_copy(request, context);
  }
  Result<CopyReport> copy(std::shared_ptr<Drive> source, std::shared_ptr<Drive> target) { return copy(std::move(source), std::move(target), {}); }

  // Nobody would boot it or mount anything of it.
  static void expect_bare(Drive& drive) {
    const Layout layout = *read_layout(drive);
    EXPECT_EQ(layout.kind, TableKind::none);
    EXPECT_TRUE(layout.partitions.empty());
    EXPECT_NE(le16(contents(drive, Extent{0, 512}), 510), 0xAA55);
  }

  test::QuietEvents events_;
  CancelToken cancel_;
  SeededRandom random_{42};
  FixedClock clock_{std::chrono::sys_seconds(std::chrono::seconds(1795439109))};
};

struct Kind {
  TableKind kind;
  const char* name;
};
class CopyOf : public CopyTest, public ::testing::WithParamInterface<Kind> {};

TEST_P(CopyOf, ADriveIsEqualOnAnEmptyAndOnAnOldTarget) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    auto source = make_source(GetParam().kind, seed);
    auto fresh = make_memory_drive(kDrive);
    const auto report = copy(source, fresh, {.fresh = true});
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->outcome, Outcome::complete);
    EXPECT_EQ(contents(*fresh), contents(*source));
    auto old = make_source(TableKind::gpt, seed + 100);
    ASSERT_TRUE(copy(source, old));
    const Layout now = *read_layout(*old), wanted = *read_layout(*source);
    EXPECT_EQ(now.partitions, wanted.partitions);
    for (const Partition& partition : wanted.partitions)
      EXPECT_EQ(contents(*old, place(*old, partition.id)), contents(*source, place(*source, partition.id)));
  }
}

TEST_P(CopyOf, AWriterThatStopsAnywhereLeavesNoTable) {
  if (GetParam().kind == TableKind::none) GTEST_SKIP() << "there is no table";
  auto source = make_source(GetParam().kind);
  auto stats = std::make_shared<FaultStats>();
  ASSERT_TRUE(copy(source, make_faulty_drive(make_memory_drive(kDrive), {.stats = stats}), {.compare = false}));
  const std::uint64_t all = stats->bytes_written;
  const Bytes old = contents(*make_source(GetParam().kind, 7));
  // When the last write comes, which has sector 0, everything else is there.
  const std::uint64_t last = GetParam().kind == TableKind::mbr ? 512 : 34 * 512;
  for (std::uint64_t at = 0; at < all - last; at += at < all - 65536 ? all / 40 : 512) {
    auto kept = make_memory_drive(kDrive);
    ASSERT_TRUE(kept->write(0, old));
    const auto report = copy(source, make_faulty_drive(kept, {.write_dead_at = at}), {.compare = false});
    ASSERT_FALSE(report) << at;
    EXPECT_NE(report.error().hint.find("written to only in part"), std::string::npos) << report.error().message();
    if (at == 0) continue;  // nothing was touched
    expect_bare(*kept);
    if (HasFailure()) FAIL() << at << " of " << all;
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, CopyOf,
                         ::testing::Values(Kind{TableKind::mbr, "Mbr"}, Kind{TableKind::gpt, "Gpt"}, Kind{TableKind::hybrid, "Hybrid"},
                                           Kind{TableKind::none, "None"}),
                         [](const auto& each) { return each.param.name; });

TEST_F(CopyTest, CancellingLeavesNoTableAndSaysSo) {
  auto source = make_source(TableKind::mbr);
  auto target = make_source(TableKind::mbr, 9);
  class Cancelling final : public Events {
   public:
    explicit Cancelling(CancelToken& token) : token_(token) {}
    void stage(const std::string& name, std::uint64_t) override {
      if (name == "copy") token_.cancel();
    }
    void progress(const Progress&) override {}
    void message(const Message&) override {}
    Answer ask(const Question&) override { return Answer::abort; }

   private:
    CancelToken& token_;
  } events(cancel_);
  AreaChoice choice{.drive = source, .layout = *read_layout(*source), .partitions = {}};
  const auto areas = *choose_areas(choice, events, cancel_);
  auto plan = *plan_restore(view_of(choice, areas), target->info(), *read_layout(*target), {}, {}, random_);
  const CopyRequest request{.choice = choice, .areas = areas, .target = target, .plan = plan};
  JobContext context{events, cancel_, clock_, random_, 2};
  const auto report = run_copy(request, context);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::cancelled);
  EXPECT_NE(report.error().message().find("only in part"), std::string::npos);
  expect_bare(*target);
}

TEST_F(CopyTest, APartitionGoesIntoALargerOneAndNotIntoASmaller) {
  auto source = make_source(TableKind::mbr, 3);
  SeededRandom random(5);
  auto target = make_memory_drive(2 * kDrive);
  Layout layout = *make_layout(TableKind::gpt, 2 * kDrive / 512, 512, random);
  for (const std::uint64_t sectors : {std::uint64_t{900}, std::uint64_t{40000}}) {
    Partition wanted;
    wanted.mbr_type = 0x83;
    wanted.sector_count = sectors;
    layout = add_partition(layout, wanted, {}, random)->layout;
  }
  const auto tables = render_tables(layout, 2 * kDrive / 512);
  for (const TableSectors& table : *tables) ASSERT_TRUE(target->write(table.start_sector * 512, table.bytes));
  const Extent small = place(*target, 1), large = place(*target, 2);
  fill(*target, small, 77);
  const Bytes neighbour = contents(*target, small);
  RestoreOptions where{.partition = 1, .where = RestoreOptions::Where::partition, .target_partition = 2, .first_track_sectors = {}};
  ASSERT_TRUE(copy(source, target, {.where = where}));
  const Extent from = place(*source, 1);
  EXPECT_EQ(contents(*target, Extent{large.start, from.length}), contents(*source, from));
  EXPECT_EQ(contents(*target, small), neighbour);
  where.target_partition = 1;
  const auto report = copy(source, target, {.where = where});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::no_space);
  EXPECT_EQ(contents(*target, small), neighbour);
}

TEST_F(CopyTest, APartitionGoesIntoFreeSpaceOfItsOwnDriveToo) {
  auto source = make_source(TableKind::mbr, 3, 3 * kDrive);
  const Extent from = place(*source, 1);
  const Bytes before = contents(*source, from);
  const std::size_t partitions = read_layout(*source)->partitions.size();
  const RestoreOptions where{.partition = 1, .where = RestoreOptions::Where::free_space, .target_partition = 0, .first_track_sectors = {}};
  ASSERT_TRUE(copy(source, source, {.where = where}));
  const Layout now = *read_layout(*source);
  ASSERT_EQ(now.partitions.size(), partitions + 1);
  EXPECT_EQ(contents(*source, from), before);
  const bool found = std::ranges::any_of(now.partitions, [&](const Partition& p) {
    return p.start_sector * 512 != from.start && p.sector_count * 512 == from.length &&
           contents(*source, Extent{p.start_sector * 512, from.length}) == before;
  });
  EXPECT_TRUE(found);
}

TEST_F(CopyTest, BadSectorsOfTheSourceAreAskedAboutOrListedAndZero) {
  auto source = make_source(TableKind::mbr, 2);
  const Extent in = place(*source, 1);
  const std::vector<Extent> bad = {{in.start + 512, 512}, {in.start + 300 * 512, 1024}};
  const FaultPlan faults{.read_bad = {{bad[0]}, {bad[1]}}};
  auto target = make_memory_drive(kDrive);
  const auto asked = copy(make_faulty_drive(source, faults), target);
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().code, ErrorCode::io);
  EXPECT_EQ(events_.questions, std::vector<std::string>{"unreadable-sectors"});
  expect_bare(*target);
  const auto report = copy(make_faulty_drive(source, faults), target, {.allow_errors = true});
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->outcome, Outcome::with_bad_sectors);
  EXPECT_EQ(report->unreadable_bytes, 1536U);
  Bytes wanted = contents(*source);
  for (const Extent& each : bad) std::fill_n(wanted.begin() + static_cast<std::ptrdiff_t>(each.start), each.length, std::byte{0});
  EXPECT_EQ(contents(*target), wanted);
}

TEST_F(CopyTest, UnwritableSectorsAreWrittenAround) {
  auto source = make_source(TableKind::mbr, 2);
  const Extent bad{place(*source, 1).start + 200 * 512, 512};
  auto kept = make_memory_drive(kDrive);
  const auto report = copy(source, make_faulty_drive(kept, {.write_bad = {{bad}}}), {.allow_errors = true});
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->unwritable_bytes, 512U);
  Bytes wanted = contents(*source);
  std::fill_n(wanted.begin() + static_cast<std::ptrdiff_t>(bad.start), bad.length, std::byte{0});
  EXPECT_EQ(contents(*kept), wanted);
  // Lost behind the cache: found by writing again.
  auto late = make_memory_drive(kDrive);
  const auto again = copy(source, make_faulty_drive(late, {.late_bad = {bad}}), {.allow_errors = true});
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->unwritable_bytes, 512U);
  EXPECT_EQ(contents(*late), wanted);
}

TEST_F(CopyTest, AComparisonFindsWritesThatWereLost) {
  auto source = make_source(TableKind::mbr, 2);
  const Extent lost{place(*source, 1).start + 200 * 512, 512};
  const auto report = copy(source, make_faulty_drive(make_memory_drive(kDrive), {.lost_writes = {lost}}));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::mismatch);
}

TEST_F(CopyTest, ADeltaWritesOnlyWhatDiffers) {
  auto source = make_source(TableKind::gpt, 2);
  auto target = make_memory_drive(kDrive);
  ASSERT_TRUE(copy(source, target));
  const Extent in = place(*source, 2);
  fill(*source, {in.start + in.length / 2, 3000}, 99);
  const auto report = copy(source, target, {.delta = true});
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(contents(*target), contents(*source));
  // The beginnings and ends of three partitions, which are wiped first, and the tables.
  EXPECT_LT(report->written_bytes, (3 * 256 + 100) * 1024U);
}

TEST_F(CopyTest, HolesAndZerosTakeNoRoomOnAFreshTarget) {
  auto source = make_memory_drive(64 * kMiB);
  fill(*source, {0, kMiB}, 1);
  ASSERT_TRUE(source->write(8 * kMiB, Bytes(4 * kMiB)));  // zeros that the source has in store
  auto stats = std::make_shared<FaultStats>();
  auto kept = make_memory_drive(64 * kMiB);
  ASSERT_TRUE(copy(source, make_faulty_drive(kept, {.stats = stats}), {.fresh = true}));
  EXPECT_EQ(contents(*kept), contents(*source));
  const BlockStatus status = *kept->status(2 * kMiB, 62 * kMiB);
  EXPECT_EQ(status.state, BlockState::hole);
  EXPECT_EQ(status.extent.length, 62 * kMiB);
}

TEST_F(CopyTest, AnImageIsASourceAndWhatItDoesNotHoldIsNotCopied) {
  auto source = make_source(TableKind::mbr, 2);
  auto place_of_image = std::make_shared<test::MemoryPlace>();
  test::ImageLab lab;
  BackupRequest request = lab.request(source, place_of_image);
  request.layout = *read_layout(*source);
  ASSERT_TRUE(lab.backup(request, 1));
  const auto open = [&] {
    return make_image_drive(*ImageReader::open(place_of_image, "pc.tti", []() -> Result<std::string> { return fail(ErrorCode::denied, ""); }));
  };
  auto target = make_memory_drive(kDrive);
  ASSERT_TRUE(copy(open(), target));
  EXPECT_EQ(contents(*target), contents(*source));
  request.partitions = {2};
  ASSERT_TRUE(lab.backup(request, 2));
  const auto whole = copy(open(), target);
  ASSERT_FALSE(whole);
  EXPECT_EQ(whole.error().code, ErrorCode::usage) << whole.error().message();
  const auto raw = copy(open(), target, {.raw = true});
  ASSERT_FALSE(raw);
  EXPECT_EQ(raw.error().code, ErrorCode::usage) << raw.error().message();
  RestoreOptions where{.partition = 1, .where = RestoreOptions::Where::partition, .target_partition = 1, .first_track_sectors = {}};
  const auto missing = copy(open(), target, {.where = where});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found) << missing.error().message();
  EXPECT_EQ(contents(*target), contents(*source));  // nothing was touched
  fill(*target, place(*target, 2), 55);
  where.partition = where.target_partition = 2;
  ASSERT_TRUE(copy(open(), target, {.where = where}));
  EXPECT_EQ(contents(*target), contents(*source));
}

}  // namespace
}  // namespace tintype
