// SPDX-License-Identifier: GPL-3.0-or-later
// Salvage under random damage: every chunk whose frame was not touched comes back, everything else is listed, and what is not
// listed is right.
#include <algorithm>
#include <map>

#include "damaged_part.h"
#include "image_fixture.h"
#include "image/part_names.h"
#include "job/image_walk.h"
#include "job/salvage_report.h"
#include "layout/edit.h"
#include "layout/render.h"
#include "support/memory_place.h"

namespace tintype {
namespace {

using test::ImageLab;
using test::kTouched;
using test::Part;
using test::covers;
using test::meets;

constexpr std::uint64_t kMiB = 1U << 20;
constexpr std::uint64_t kDriveBytes = 12 * kMiB;
struct Truth {
  std::size_t area = 0;
  Extent extent;  // of the area
  std::vector<Extent> used;
  FramePlace place;
  bool stored = false;
};

class SalvageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    drive_ = make_memory_drive(kDriveBytes);
    SeededRandom random(1);
    Layout layout = *make_layout(TableKind::mbr, kDriveBytes / 512, 512, random);
    Partition wanted;
    wanted.mbr_type = 0x83;
    for (const std::uint64_t mib : {6, 4}) {
      wanted.sector_count = mib * kMiB / 512;
      layout = add_partition(layout, wanted, {}, random)->layout;
    }
    const auto tables = render_tables(layout, kDriveBytes / 512);
    for (const TableSectors& t : *tables) ASSERT_TRUE(drive_->write(t.start_sector * 512, t.bytes));
    Bytes noise(4 * kMiB + 512);
    ASSERT_TRUE(random.fill(noise));
    ASSERT_TRUE(drive_->write(kMiB, noise));
    ASSERT_TRUE(drive_->write(8 * kMiB, ByteSpan(noise).first(2 * kMiB)));
    ASSERT_TRUE(drive_->write(10 * kMiB, Bytes(kMiB, std::byte{'t'})));
  }

  // The image's parts, and where each chunk is in them.
  void make_image(std::optional<std::string> password = {}) {
    password_ = password.value_or("");
    auto place = std::make_shared<test::MemoryPlace>();
    BackupRequest request = lab_.request(drive_, place);
    request.layout = *read_layout(*drive_);
    request.password = password;
    request.encrypt = password.has_value();
    ASSERT_TRUE(lab_.backup(request, 1));
    const auto image = *lab_.open(place, password_);
    areas_ = image->catalog().areas;
    catalog_ = image->parts().trailer().catalog;
    truth_.clear();
    for (std::size_t area = 0; area < areas_.size(); ++area) {
      ImageWalk walk(image, area, [&](const FramePlace& index) { index_.push_back(index); });
      while (true) {
        const Result<std::optional<ImageChunk>> chunk = walk.next();
        ASSERT_TRUE(chunk);
        if (!chunk->has_value()) break;
        const ImageChunk& c = **chunk;
        truth_.push_back({area, c.extent, c.used, c.entry.place, c.entry.kind == ChunkEntry::Kind::stored});
      }
    }
    parts_.clear();
    for (std::uint32_t i = 0; i < image->parts().parts(); ++i) parts_.emplace_back(place->get(part_name("pc.tti", i)));
    ASSERT_GT(parts_.size(), 4U);
  }

  Result<SalvageReport> salvage() {
    auto place = std::make_shared<test::MemoryPlace>();
    for (std::uint32_t i = 0; i < parts_.size(); ++i)
      if (parts_[i].there) place->put(part_name("pc.tti", i), parts_[i].bytes);
    results_.clear();
    SalvageRequest request;
    request.place = place;
    request.image = "pc.tti";
    request.password = [this]() -> Result<std::string> { return password_; };
    request.create = [this](const std::string& name, std::uint64_t size) -> Result<std::shared_ptr<Drive>> {
      EXPECT_FALSE(results_.contains(name));
      return results_[name] = make_memory_drive(size);
    };
    SeededRandom random(1);
    JobContext context{lab_.events, lab_.cancel, lab_.clock, random, 1};
    return run_salvage(request, context);
  }

  bool right(const SalvagedArea& area, Extent extent) {
    Bytes wanted(static_cast<std::size_t>(extent.length)), got(wanted.size());
    EXPECT_TRUE(drive_->read(areas_[area.number].start_byte + extent.start, wanted));
    EXPECT_TRUE(results_.at(area.file)->read(area.file_byte + extent.start, got));
    return wanted == got;
  }

  // The property itself.
  void check(const SalvageReport& report, const std::string& what) {
    SCOPED_TRACE(what);
    std::uint64_t good = 0;
    for (const Truth& chunk : truth_) {
      const auto area = std::ranges::find(report.areas, chunk.area, &SalvagedArea::number);
      const bool whole = chunk.stored && parts_[chunk.place.part].holds(chunk.place.offset, chunk.place.bytes);
      EXPECT_TRUE(!whole || area != report.areas.end());
      if (area == report.areas.end()) continue;
      for (const Extent& used : chunk.used) {
        if (used.end() > area->size_bytes) {  // without a layout an area ends with its last chunk
          EXPECT_FALSE(whole);
          continue;
        }
        const bool listed = meets(area->lost, used) || meets(area->unknown, used);
        const bool all_listed = covers(area->lost, used) || covers(area->unknown, used);
        EXPECT_TRUE(!whole || !listed) << "chunk at " << chunk.extent.start;
        EXPECT_TRUE(!chunk.stored || whole || all_listed) << "chunk at " << chunk.extent.start;
        EXPECT_TRUE(listed || right(*area, used)) << "chunk at " << chunk.extent.start;
      }
      good += whole ? 1 : 0;
    }
    EXPECT_EQ(report.chunks, good);
  }

  void damage_at_random(std::uint64_t seed) {
    SeededRandom random(seed);
    Bytes dice(16 * 9);
    ASSERT_TRUE(random.fill(dice));
    const std::size_t count = 1 + le32(dice, 0) % 8;
    for (std::size_t i = 1; i <= count; ++i) {
      if (le32(dice, i * 16) % 16 == 15)
        parts_.back().cut(parts_.back().bytes.size() / 2, parts_.back().bytes.size());
      else
        test::damage(parts_[le32(dice, i * 16 + 4) % parts_.size()], ByteSpan(dice).subspan(i * 16, 16));
    }
  }

  bool any_part() const {
    return std::ranges::any_of(parts_, [](const Part& part) { return part.there; });
  }

  ImageLab lab_;
  std::shared_ptr<Drive> drive_;
  std::string password_;
  std::vector<Area> areas_;
  FramePlace catalog_;
  std::vector<FramePlace> index_;
  std::vector<Truth> truth_;
  std::vector<Part> parts_;
  std::map<std::string, std::shared_ptr<Drive>> results_;
};

TEST_F(SalvageTest, OfASoundImageNothingIsLost) {
  make_image();
  const auto report = salvage();
  ASSERT_TRUE(report) << report.error().message();
  check(*report, "sound");
  EXPECT_EQ(report->lost_bytes() + report->unknown_bytes() + report->damaged_chunks + report->foreign_chunks, 0U);
  EXPECT_EQ(report->layout_from, "catalog");
  Bytes wanted(kDriveBytes), got(kDriveBytes);
  ASSERT_TRUE(drive_->read(0, wanted));
  ASSERT_TRUE(results_.at("drive.raw")->read(0, got));
  EXPECT_EQ(wanted, got);
}

TEST_F(SalvageTest, RandomDamage) {
  make_image();
  const std::vector<Part> parts = parts_;
  for (std::uint64_t seed = 0; seed < 120; ++seed) {
    parts_ = parts;
    damage_at_random(seed);
    if (!any_part()) continue;
    const auto report = salvage();
    ASSERT_TRUE(report) << report.error().message();
    check(*report, "seed " + std::to_string(seed));
  }
}

TEST_F(SalvageTest, RandomDamageToAnEncryptedImage) {
  make_image("secret");
  const std::vector<Part> parts = parts_;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    parts_ = parts;
    damage_at_random(seed + 1000);
    const bool header = std::ranges::any_of(parts_, [](const Part& part) { return part.there && part.holds(0, kPartHeaderBytes); });
    if (!header) continue;
    const auto report = salvage();
    ASSERT_TRUE(report) << report.error().message();
    check(*report, "seed " + std::to_string(seed));
  }
}

TEST_F(SalvageTest, OneSoundHeaderOpensAnEncryptedImageAndNoneDoesNot) {
  make_image("secret");
  for (std::size_t i = 0; i < parts_.size(); ++i)
    if (i != 2) parts_[i].overwrite(0, kPartHeaderBytes);
  auto report = salvage();
  ASSERT_TRUE(report) << report.error().message();
  check(*report, "one header");
  EXPECT_EQ(report->lost_bytes() + report->unknown_bytes(), 0U);
  password_ = "wrong";
  EXPECT_EQ(salvage().error().code, ErrorCode::denied);
  parts_[2].overwrite(0, kPartHeaderBytes);
  report = salvage();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->restored_bytes(), 0U);
  EXPECT_GT(report->locked_frames, 5U);
}

TEST_F(SalvageTest, WithoutTrailerCatalogAndFirstPart) {
  make_image();
  parts_.back().cut(parts_.back().bytes.size() - kTrailerBytes, kTrailerBytes);
  auto report = salvage();
  ASSERT_TRUE(report);
  check(*report, "no trailer");
  EXPECT_EQ(report->layout_from, "catalog");  // found by searching
  EXPECT_EQ(report->lost_bytes() + report->unknown_bytes(), 0U);

  parts_[catalog_.part].overwrite(static_cast<std::size_t>(catalog_.offset), catalog_.bytes);
  report = salvage();
  ASSERT_TRUE(report);
  check(*report, "no catalog");
  EXPECT_EQ(report->layout_from, "prologue");
  EXPECT_EQ(report->lost_bytes() + report->unknown_bytes(), 0U);  // directories and pages are found by their addresses

  parts_[0].there = false;
  report = salvage();
  ASSERT_TRUE(report);
  check(*report, "no first part");
  EXPECT_EQ(report->layout_from, "nothing");
  EXPECT_TRUE(results_.contains("area-1.raw"));
}

TEST_F(SalvageTest, WithoutAnyPartHeader) {
  make_image();
  for (Part& part : parts_) part.cut(0, kPartHeaderBytes);
  const auto report = salvage();
  ASSERT_TRUE(report);
  check(*report, "headers gone");
  EXPECT_EQ(report->lost_bytes() + report->unknown_bytes(), 0U);
}

TEST_F(SalvageTest, WithoutTheIndexFramesPlaceThemselvesAndTheRestIsUnknown) {
  make_image();
  for (const FramePlace& piece : index_) parts_[piece.part].overwrite(static_cast<std::size_t>(piece.offset), piece.bytes);
  const auto report = salvage();
  ASSERT_TRUE(report);
  check(*report, "no index");
  for (const SalvagedArea& area : report->areas) EXPECT_EQ(area.unconfirmed_bytes, area.restored_bytes);
  EXPECT_EQ(report->lost_bytes(), 0U);
  EXPECT_GT(report->unknown_bytes(), 0U);  // what is zero cannot be told from what is lost
}

TEST_F(SalvageTest, OfSeveralFramesForAChunkTheOneOfTheIndexElseTheLast) {
  make_image();
  const auto chunk = std::ranges::find_if(truth_, [](const Truth& t) { return t.stored && t.area == 1; });
  ASSERT_NE(chunk, truth_.end());
  FrameSealer sealer = *FrameSealer::create(std::nullopt, 0);
  Bytes buffer(frame_room(kChunkBytes));
  const Bytes stale(static_cast<std::size_t>(chunk->extent.length), std::byte{'s'});
  const ByteSpan frame = *sealer.seal(FrameType::chunk, {1, chunk->extent.start / kChunkBytes}, 0, stale, buffer);
  Part& last = parts_.back();
  last.bytes.insert(last.bytes.end() - kTrailerBytes, frame.begin(), frame.end());
  last.origin.insert(last.origin.end() - kTrailerBytes, frame.size(), kTouched);
  auto report = salvage();
  ASSERT_TRUE(report);
  check(*report, "an older frame");
  EXPECT_EQ(report->foreign_chunks, 1U);
  for (const FramePlace& piece : index_) parts_[piece.part].overwrite(static_cast<std::size_t>(piece.offset), piece.bytes);
  report = salvage();
  ASSERT_TRUE(report);
  Bytes got(stale.size());
  ASSERT_TRUE(results_.at("drive.raw")->read(areas_[1].start_byte + chunk->extent.start, got));
  EXPECT_EQ(got, stale);
}

// A drive that holds an image file: where damage lets the inner frames show, the index does not let them through.
TEST_F(SalvageTest, AnImageInsideTheImageIsNotTakenForIt) {
  const auto other = lab_.noise_drive(4096, 9);
  for (std::uint64_t at = 0; at < 8 * kMiB; at += 100000) ASSERT_TRUE(other->write(at, Bytes(10000, std::byte{'i'})));
  auto inner_place = std::make_shared<test::MemoryPlace>();
  ASSERT_TRUE(lab_.backup(lab_.request(other, inner_place), 5));
  const Bytes inner = inner_place->get("pc.tti");
  ASSERT_LT(inner.size(), kMiB);
  for (const std::uint64_t mib : {2, 3, 9}) ASSERT_TRUE(drive_->write(mib * kMiB + 4096, inner));
  make_image();
  const std::vector<Part> parts = parts_;
  for (const Truth& chunk : truth_) {
    if (!chunk.stored) continue;
    parts_ = parts;
    parts_[chunk.place.part].flip(static_cast<std::size_t>(chunk.place.offset) + 20);  // its header
    const auto report = salvage();
    ASSERT_TRUE(report);
    check(*report, "header of the chunk at " + std::to_string(chunk.extent.start));
    // Nor is its catalog, where the real one is gone.
    parts_[catalog_.part].overwrite(static_cast<std::size_t>(catalog_.offset), catalog_.bytes);
    const auto without = salvage();
    ASSERT_TRUE(without);
    EXPECT_EQ(without->layout_from, "prologue");
    for (std::size_t i = 0; i < areas_.size(); ++i) EXPECT_EQ(without->areas[i].size_bytes, areas_[i].size_bytes);
  }
}

TEST_F(SalvageTest, ReportsNameEveryAreaAndShare) {
  make_image();
  parts_[1].there = false;
  const auto report = salvage();
  ASSERT_TRUE(report);
  const std::string text = salvage_text(*report, "pc.tti"), json = salvage_json(*report, "pc.tti");
  for (const SalvagedArea& area : report->areas) EXPECT_NE(text.find(area.name), std::string::npos);
  EXPECT_NE(text.find("part 2 is missing: pc.tti.1"), std::string::npos);
  EXPECT_NE(text.find("lost"), std::string::npos);
  EXPECT_NE(json.find("\"lost_bytes\": " + std::to_string(report->lost_bytes())), std::string::npos);
  EXPECT_GT(report->lost_bytes(), 0U);
}

TEST_F(SalvageTest, AnOlderSetsPartIsPassedOver) {
  make_image();
  const std::vector<Part> older = parts_;
  ASSERT_TRUE(drive_->write(3 * kMiB, Bytes(kMiB, std::byte{'n'})));
  index_.clear();
  auto place = std::make_shared<test::MemoryPlace>();
  BackupRequest request = lab_.request(drive_, place);
  request.layout = *read_layout(*drive_);
  ASSERT_TRUE(lab_.backup(request, 2));
  parts_.clear();
  for (std::uint32_t i = 0; i < 3; ++i) parts_.emplace_back(place->get(part_name("pc.tti", i)));
  parts_.push_back(older[3]);
  const auto report = salvage();
  ASSERT_TRUE(report);
  EXPECT_TRUE(std::ranges::any_of(report->notes, [](const std::string& note) { return note.find("another image") != std::string::npos; }));
}

}  // namespace
}  // namespace tintype
