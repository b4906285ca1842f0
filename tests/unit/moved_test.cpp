// SPDX-License-Identifier: GPL-3.0-or-later
// Data that a file system moved is found in the base and not stored anew; and whatever builds on such an image gives back its own state.
#include "image/image_drive.h"
#include "job/salvage.h"
#include "job/used_changes.h"
#include "moved_fixture.h"
#include "support/counting_place.h"

namespace tintype::test {
namespace {

constexpr std::uint32_t kMoved = 100;  // clusters: 400 KiB

// 100 clusters of one file go from the second chunk to the sixth; there are others at both places.
class Moved : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) lab_.password = "geheim";
    lab_.add(10, 60);
    lab_.add(140, kMoved);
    lab_.add(640, 20);
    ASSERT_TRUE(lab_.backup("full.tti"));
    before_ = lab_.content();
    lab_.move(140, kMoved, 670);
    ASSERT_NE(lab_.chunk_of(140), lab_.chunk_of(670));
  }

  MovedLab lab_;
  Bytes before_;
};
INSTANTIATE_TEST_SUITE_P(PlainAndEncrypted, Moved, ::testing::Bool());

TEST_P(Moved, IsNotStoredAnew) {
  ASSERT_TRUE(lab_.backup("diff.tti", "full.tti"));
  EXPECT_LT(lab_.image_bytes("diff.tti"), 40 * 1024U);
  EXPECT_GE(lab_.takers("diff.tti"), 1U);
  EXPECT_EQ(lab_.takers("full.tti"), 0U);
  EXPECT_TRUE(lab_.gives_now("diff.tti"));
  EXPECT_TRUE(lab_.validate("diff.tti")->sound());
}

TEST_P(Moved, LaterLinksDoNotBuildOnIt) {
  ASSERT_TRUE(lab_.backup("diff.tti", "full.tti"));
  ASSERT_TRUE(lab_.backup("same.tti", "diff.tti"));
  lab_.scribble(lab_.byte_of(20), 3000);
  ASSERT_TRUE(lab_.backup("more.tti", "same.tti"));
  const ChunkEntry kept = lab_.entry("more.tti", lab_.chunk_of(720));
  ASSERT_FALSE(kept.moved.empty());
  EXPECT_EQ(kept.place.link, 2U);
  for (const MovedData& data : kept.moved)
    for (const FramePlace& frame : data.frames) EXPECT_EQ(frame.link, 1U);
  EXPECT_TRUE(lab_.gives_now("more.tti"));
  lab_.scribble(lab_.byte_of(720), 3000);
  ASSERT_TRUE(lab_.backup("last.tti", "more.tti"));
  const ChunkEntry changed = lab_.entry("last.tti", lab_.chunk_of(720));
  EXPECT_TRUE(changed.moved.empty());
  EXPECT_LE(changed.bases.size(), 1U);
  for (const std::string name : {"diff.tti", "same.tti", "more.tti", "last.tti"}) EXPECT_TRUE(lab_.validate(name)->sound()) << name;
  EXPECT_TRUE(lab_.gives_now("last.tti"));
}

// What was taken from elsewhere is not taken from there again.
TEST_P(Moved, MovesOnAndOn) {
  ASSERT_TRUE(lab_.backup("diff.tti", "full.tti"));
  lab_.move(670, kMoved, 1100);
  ASSERT_TRUE(lab_.backup("more.tti", "diff.tti"));
  EXPECT_TRUE(lab_.gives_now("more.tti"));
  lab_.move(1100, kMoved, 300);
  ASSERT_TRUE(lab_.backup("last.tti", "more.tti"));
  const auto image = lab_.open("last.tti");
  for (std::uint64_t chunk = 0; chunk < 13; ++chunk)
    for (const std::string name : {"more.tti", "last.tti"})
      for (const MovedData& data : lab_.entry(name, chunk).moved) EXPECT_LE(data.frames.size(), kMaxDeltaBases + 1);
  EXPECT_TRUE(lab_.gives_now("last.tti"));
  EXPECT_TRUE(lab_.validate("last.tti")->sound());
  EXPECT_TRUE(std::ranges::none_of(lab_.events.messages, [](const std::string& text) { return text.contains("cannot be read"); }));
}

TEST_P(Moved, ConsolidatedItStandsAlone) {
  ASSERT_TRUE(lab_.backup("diff.tti", "full.tti"));
  lab_.scribble(lab_.byte_of(20), 3000);
  ASSERT_TRUE(lab_.backup("more.tti", "diff.tti"));
  ASSERT_TRUE(lab_.consolidate("more.tti", "whole.tti"));
  EXPECT_EQ(lab_.takers("whole.tti"), 0U);
  EXPECT_TRUE(lab_.gives_now("whole.tti"));
  // What stays where it is can go on being taken from there.
  ASSERT_TRUE(lab_.consolidate("more.tti", "two.tti", 1));
  EXPECT_GE(lab_.takers("two.tti"), 1U);
  EXPECT_LT(lab_.image_bytes("two.tti"), 40 * 1024U);
  EXPECT_TRUE(lab_.gives_now("two.tti"));
  for (const std::string name : {"diff.tti", "more.tti", "two.tti", "full.tti"}) ASSERT_TRUE(lab_.place->remove(name));
  EXPECT_TRUE(lab_.gives_now("whole.tti"));
}

TEST_P(Moved, DeltaRestoreOntoTheStateBefore) {
  ASSERT_TRUE(lab_.backup("diff.tti", "full.tti"));
  for (const bool scribbled : {false, true}) {
    auto target = make_memory_drive(before_.size());
    ASSERT_TRUE(target->write(0, before_));
    if (scribbled) {
      ASSERT_TRUE(target->write(lab_.byte_of(650), Bytes(5000, std::byte{'x'})));
    }
    const std::shared_ptr<ImageReader> image = *lab_.open("diff.tti");
    JobContext context{lab_.events, lab_.cancel, lab_.clock, lab_.random, 2};
    RestoreRequest r;
    r.plan = *plan_restore(image->catalog(), target->info(), *read_layout(*target), {}, {}, lab_.random);
    r.image = image;
    r.target = target;
    r.delta = r.compare_after = true;
    const auto report = run_restore(r, context);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_LT(report->written_bytes, 2 * kMiB);
    EXPECT_TRUE(lab_.same_in_use(lab_.content(*target), lab_.content()));
  }
}

TEST_P(Moved, ContinuedWhereItWasCutOff) {
  bool finished = false;
  std::size_t taken = 0;
  const std::shared_ptr<MemoryPlace> whole = lab_.place;
  for (std::uint64_t step = 3; !finished; step += GetParam() ? 9 : 2) {
    lab_.place = whole->copy();
    BackupRequest r = lab_.request("diff.tti");
    r.base = BackupBase{*lab_.open("full.tti"), "full.tti", ""};
    lab_.place->faults.stop_at = lab_.place->operations() + step;
    finished = lab_.run(r, 1).has_value();
    lab_.place->faults = {};
    lab_.place = lab_.place->copy();
    BackupRequest again = lab_.request("diff.tti");
    again.base = BackupBase{*lab_.open("full.tti"), "full.tti", ""};
    again.resume = true;
    const auto report = lab_.run(again);
    ASSERT_TRUE(report) << step << ": " << report.error().message();
    taken = std::max(taken, report->continued_bytes > 0 ? lab_.takers("diff.tti") : 0);
    EXPECT_TRUE(lab_.gives_now("diff.tti")) << step;
    EXPECT_TRUE(lab_.validate("diff.tti")->sound()) << step;
  }
  EXPECT_GE(taken, 1U);
}

TEST(MovedData, WhereNothingWasBeforeAndNextToNewData) {
  MovedLab lab(2);
  lab.add(10, 100);
  ASSERT_TRUE(lab.backup("full.tti"));
  lab.add(1030, 30);
  lab.move(12, 60, 1070);
  ASSERT_TRUE(lab.backup("diff.tti", "full.tti"));
  const ChunkEntry entry = lab.entry("diff.tti", lab.chunk_of(1070));
  EXPECT_EQ(entry.kind, ChunkEntry::Kind::delta);
  EXPECT_TRUE(entry.bases.empty());
  ASSERT_EQ(entry.moved.size(), 1U);
  EXPECT_EQ(entry.moved[0].chunk, lab.chunk_of(12));
  EXPECT_TRUE(lab.gives_now("diff.tti"));
  EXPECT_LT(lab.image_bytes("diff.tti"), 30 * 4096 + 8192U);
  lab.scribble(lab.byte_of(1080), 100);
  ASSERT_TRUE(lab.backup("more.tti", "diff.tti"));
  EXPECT_EQ(lab.entry("more.tti", lab.chunk_of(1070)).kind, ChunkEntry::Kind::stored);
  EXPECT_TRUE(lab.gives_now("more.tti"));
  ASSERT_TRUE(lab.consolidate("diff.tti", "whole.tti"));
  EXPECT_EQ(lab.entry("whole.tti", lab.chunk_of(1070)).kind, ChunkEntry::Kind::stored);
}

// A chunk that keeps most of what it had: the next delta is made against its stored frame, and a delta restore needs nothing of that.
TEST(MovedData, NextToMuchThatStays) {
  MovedLab lab(10);
  lab.add(1030, 100);
  lab.add(140, 10);
  const std::uint64_t chunk = lab.chunk_of(1030);
  ASSERT_EQ(lab.chunk_of(1144), chunk);
  ASSERT_TRUE(lab.backup("full.tti"));
  const Bytes before = lab.content();
  lab.move(140, 10, 1135);
  ASSERT_TRUE(lab.backup("diff.tti", "full.tti"));
  const Bytes after = lab.content();
  const ChunkEntry first = lab.entry("diff.tti", chunk);
  EXPECT_EQ(first.moved.size(), 1U);
  EXPECT_EQ(first.bases.size(), 1U);
  lab.scribble(lab.byte_of(1040), 100);
  ASSERT_TRUE(lab.backup("more.tti", "diff.tti"));
  const ChunkEntry next = lab.entry("more.tti", chunk);
  EXPECT_EQ(next.kind, ChunkEntry::Kind::delta);
  EXPECT_TRUE(next.moved.empty());
  EXPECT_EQ(next.bases, first.bases);
  EXPECT_TRUE(lab.gives_now("more.tti"));
  ASSERT_TRUE(lab.consolidate("diff.tti", "whole.tti"));
  EXPECT_EQ(lab.entry("whole.tti", chunk).kind, ChunkEntry::Kind::delta);

  const auto elsewhere = std::make_shared<MemoryPlace>();
  elsewhere->put("full.tti", lab.place->get("full.tti"));
  ASSERT_TRUE(lab.place->remove("full.tti"));
  const auto base = std::make_shared<CountingPlace>(elsewhere);
  const std::shared_ptr<ImageReader> image = *lab.open("diff.tti", {{base, "full.tti"}});
  auto target = make_memory_drive(before.size());
  ASSERT_TRUE(target->write(0, before));
  JobContext context{lab.events, lab.cancel, lab.clock, lab.random, 1};
  RestoreRequest r;
  r.plan = *plan_restore(image->catalog(), target->info(), *read_layout(*target), {}, {}, lab.random);
  r.image = image;
  r.target = target;
  r.delta = true;
  ASSERT_TRUE(run_restore(r, context));
  Bytes got(10 * 4096), truth(got.size());
  ASSERT_TRUE(target->read(lab.byte_of(1135), got));
  std::copy_n(after.begin() + static_cast<std::ptrdiff_t>(lab.byte_of(1135)), truth.size(), truth.begin());
  EXPECT_EQ(got, truth);
  // The chunks whose beginnings are written last, and what moved; but not the stored frame.
  EXPECT_LT(base->bytes_read, 450'000U);
  EXPECT_GT(first.bases[0].bytes, 200'000U);
}

// One file to many places, many files to one place, in pieces, and over what was there.
TEST(MovedData, ManyPieces) {
  MovedLab lab(3);
  for (std::uint32_t i = 0; i < 40; ++i) lab.add(10 + i * 30, 20);
  ASSERT_TRUE(lab.backup("full.tti"));
  for (std::uint32_t i = 0; i < 40; ++i) lab.move(10 + i * 30, 3, 1300 + (i * 7 % 40) * 4);
  ASSERT_TRUE(lab.backup("diff.tti", "full.tti"));
  std::size_t most = 0;
  for (std::uint64_t chunk = 0; chunk < 13; ++chunk) most = std::max(most, lab.entry("diff.tti", chunk).moved.size());
  EXPECT_GE(most, 5U);
  EXPECT_LE(most, kMaxMovedFrom);
  EXPECT_TRUE(lab.gives_now("diff.tti"));
  EXPECT_TRUE(lab.validate("diff.tti")->sound());
  lab.move(13, 17, 1250);
  lab.add(13, 17);
  ASSERT_TRUE(lab.backup("more.tti", "diff.tti"));
  EXPECT_TRUE(lab.gives_now("more.tti"));
}

TEST(MovedData, IdenticalForAnyNumberOfWorkersAndPasses) {
  std::vector<Bytes> made;
  for (const unsigned workers : {1U, 2U, 7U}) {
    for (const bool twice : {false, true}) {
      MovedLab lab(4);
      lab.add(10, 600);
      ASSERT_TRUE(lab.backup("full.tti", "", workers));
      lab.move(20, 400, 900);
      lab.multi_pass = twice;
      ASSERT_TRUE(lab.backup("diff.tti", "full.tti", workers));
      EXPECT_GE(lab.takers("diff.tti"), 3U);
      made.push_back(lab.place->get("diff.tti"));
    }
  }
  for (const Bytes& each : made) EXPECT_EQ(each.size(), made[0].size());
  EXPECT_EQ(made[0], made[2]);
  EXPECT_EQ(made[0], made[4]);
}

TEST(MovedData, ABaseOutOfReachEndsTheSearchAndNothingElse) {
  MovedLab lab(5);
  lab.add(10, 300);
  ASSERT_TRUE(lab.backup("full.tti"));
  lab.move(20, 200, 700);
  const auto place = std::make_shared<CountingPlace>(lab.place);
  BackupRequest r = lab.request("diff.tti");
  r.base = BackupBase{*ImageReader::open(place, "full.tti", {}), "full.tti", ""};
  place->broken = true;
  ASSERT_TRUE(lab.run(r));
  EXPECT_EQ(lab.takers("diff.tti"), 0U);
  EXPECT_EQ(std::ranges::count_if(lab.events.messages, [](const std::string& text) { return text.contains("data of the base cannot be read"); }), 1);
  EXPECT_TRUE(lab.gives_now("diff.tti"));
}

TEST(MovedData, DamageInTheBaseCostsSizeAlone) {
  MovedLab lab(6);
  lab.add(10, 600);
  ASSERT_TRUE(lab.backup("full.tti"));
  Bytes file = lab.place->get("full.tti");
  const FramePlace place = lab.entry("full.tti", lab.chunk_of(200)).place;
  file[place.offset + place.bytes / 2] ^= std::byte{1};
  lab.place->put("full.tti", file);
  lab.move(20, 400, 900);
  ASSERT_TRUE(lab.backup("diff.tti", "full.tti"));
  EXPECT_GE(lab.takers("diff.tti"), 1U);
  for (std::uint64_t chunk = 0; chunk < 13; ++chunk)
    for (const MovedData& data : lab.entry("diff.tti", chunk).moved) EXPECT_NE(data.chunk, lab.chunk_of(200));
  EXPECT_TRUE(lab.gives_now("diff.tti"));
}

// Without something that went and something that came the base's data is not looked at.
TEST(MovedData, NothingIsReadOfTheBaseWhereNothingMoved) {
  for (const bool came : {false, true}) {
    MovedLab lab(7);
    lab.add(10, 300);
    ASSERT_TRUE(lab.backup("full.tti"));
    came ? lab.add(900, 40) : lab.remove(10, 300);
    const auto place = std::make_shared<CountingPlace>(lab.place);
    BackupRequest r = lab.request("diff.tti");
    r.base = BackupBase{*ImageReader::open(place, "full.tti", {}), "full.tti", ""};
    place->bytes_read = 0;
    ASSERT_TRUE(lab.run(r));
    // The one chunk that was there before and is not zero now, and the index.
    EXPECT_LT(place->bytes_read, 400'000U);
    EXPECT_EQ(lab.takers("diff.tti"), 0U);
    EXPECT_TRUE(lab.gives_now("diff.tti"));
  }
}

TEST(MovedData, SalvageTakesItFromTheBase) {
  MovedLab lab(8);
  lab.add(10, 60);
  lab.add(140, 100);
  lab.add(640, 20);
  ASSERT_TRUE(lab.backup("full.tti"));
  lab.move(140, 100, 670);
  ASSERT_TRUE(lab.backup("diff.tti", "full.tti"));
  const FramePlace source = lab.entry("diff.tti", lab.chunk_of(720)).moved.at(0).frames.at(0);
  for (const bool damaged : {false, true}) {
    if (damaged) {
      Bytes file = lab.place->get("full.tti");
      file[source.offset + source.bytes / 2] ^= std::byte{1};
      lab.place->put("full.tti", file);
    }
    std::map<std::string, std::shared_ptr<Drive>> results;
    SalvageRequest request;
    request.place = lab.place;
    request.image = "diff.tti";
    request.create = [&](const std::string& file, std::uint64_t size) -> Result<std::shared_ptr<Drive>> { return results[file] = make_memory_drive(size); };
    JobContext context{lab.events, lab.cancel, lab.clock, lab.random, 1};
    const auto report = run_salvage(request, context);
    ASSERT_TRUE(report) << report.error().message();
    std::uint64_t earlier = 0, lost = 0;
    for (const SalvagedArea& area : report->areas) {
      earlier += area.earlier.bytes;
      lost += area.lost.bytes;
    }
    EXPECT_EQ(lost, 0U);
    EXPECT_EQ(earlier > 0, damaged);
    if (damaged) continue;
    ASSERT_EQ(results.size(), 1U);
    EXPECT_TRUE(lab.same_in_use(lab.content(*results.begin()->second), lab.content()));
  }
  const auto report = lab.validate("diff.tti");
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->sound());
}

// From the first GiB of a partition to its third.
TEST(MovedData, AcrossRegions) {
  MovedLab lab(9, 8192 * kMiB, {.bits = 32, .clusters = 600000, .cluster_sectors = 8, .with_data = false});
  lab.fat.set_entry(2, lab.fat.end_mark());
  const std::uint32_t far = 560000;
  lab.add(1000, 200);
  lab.add(far - 20, 10);
  ASSERT_TRUE(lab.backup("full.tti"));
  lab.move(1000, 200, far);
  ASSERT_TRUE(lab.backup("diff.tti", "full.tti"));
  const std::shared_ptr<ImageReader> image = *lab.open("diff.tti");
  const ChunkEntry entry = lab.entry("diff.tti", lab.chunk_of(far + 100));
  ASSERT_FALSE(entry.moved.empty());
  EXPECT_LT(entry.moved[0].chunk, kChunksPerRegion);
  EXPECT_GE(lab.chunk_of(far), 2 * kChunksPerRegion);
  const auto drive = make_image_drive(image);
  Bytes got(200 * 4096), truth(200 * 4096);
  ASSERT_TRUE(drive->read(lab.byte_of(far), got));
  ASSERT_TRUE(lab.drive->read(lab.byte_of(far), truth));
  EXPECT_EQ(got, truth);
  EXPECT_FALSE(all_zero(got));
}

TEST(UsedChanges, PartsThatAreNotInTheOther) {
  using Extents = std::vector<Extent>;
  EXPECT_EQ(not_in({{10, 10}}, {}), (Extents{{10, 10}}));
  EXPECT_EQ(not_in({}, {{10, 10}}), Extents{});
  EXPECT_EQ(not_in({{10, 10}}, {{0, 100}}), Extents{});
  EXPECT_EQ(not_in({{10, 10}}, {{0, 12}, {15, 1}, {19, 30}}), (Extents{{12, 3}, {16, 3}}));
  EXPECT_EQ(not_in({{0, 5}, {10, 10}, {30, 5}}, {{4, 8}, {31, 1}}), (Extents{{0, 4}, {12, 8}, {30, 1}, {32, 3}}));
  EXPECT_EQ(not_in({{0, 5}}, {{5, 5}}), (Extents{{0, 5}}));
  EXPECT_EQ(not_in({{5, 5}}, {{0, 5}, {10, 1}}), (Extents{{5, 5}}));
}

}  // namespace
}  // namespace tintype::test
