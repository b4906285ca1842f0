// SPDX-License-Identifier: GPL-3.0-or-later
// Salvage of changes-only images under random damage to any file of their chain: what does not need a damaged byte comes back, what
// is not listed is right, and what is missing in an earlier image is said to be.
#include <map>

#include "chain_fixture.h"
#include "damaged_part.h"
#include "image/part_names.h"
#include "job/image_walk.h"
#include "job/salvage.h"

namespace tintype::test {
namespace {

struct Truth {
  std::size_t area = 0;  // in the catalog
  std::uint32_t number = 0;
  std::vector<Extent> used;
  std::vector<FramePlace> frames;
  FramePlace directory, page;
};

class SalvageChain : public ::testing::Test {
 protected:
  using Files = std::map<std::string, Part>;

  // Four images; large and small changes, some of them again and again at the same place. The partitions change places before the
  // last but one, so that an area's number no longer is its place in the list.
  void make_chain() {
    lab_.max_part_bytes = 3 * kMiB;
    ASSERT_TRUE(lab_.backup(name(0)));
    for (std::uint64_t link = 1; link < 4; ++link) {
      lab_.scribble(2 * kMiB, 2000);
      lab_.scribble(8 * kMiB + 1000 * link, 5000);
      lab_.scribble((2 + link) * kMiB, 700000);
      if (link == 2) swap_partitions();
      ASSERT_TRUE(lab_.backup(name(link), name(link - 1))) << link;
    }
    learn();
  }
  static std::string name(std::uint64_t link) { return std::string(1, static_cast<char>('a' + link)) + ".tti"; }

  void swap_partitions() {
    const Layout before = *read_layout(*lab_.drive);
    std::array<Bytes, 2> data;
    std::array<std::uint64_t, 2> starts{};
    for (std::size_t i = 0; i < 2; ++i) {
      const Partition& p = before.partitions[i];
      data[i].resize(static_cast<std::size_t>(p.sector_count * 512));
      ASSERT_TRUE(lab_.drive->read(p.start_sector * 512, data[i]));
    }
    starts[1] = before.partitions[0].start_sector;
    starts[0] = starts[1] + before.partitions[1].sector_count;
    for (std::size_t i = 0; i < 2; ++i) {
      std::array<std::byte, 4> entry{};
      store_le(entry, 0, static_cast<std::uint32_t>(starts[i]));
      ASSERT_TRUE(lab_.drive->write(446 + 16 * i + 8, entry));
      ASSERT_TRUE(lab_.drive->write(starts[i] * 512, data[i]));
    }
  }

  // What the last image holds, and where.
  void learn() {
    const std::shared_ptr<ImageReader> image = *lab_.open(last_);
    areas_ = image->catalog().areas;
    truth_.clear();
    for (std::size_t area = 0; area < areas_.size(); ++area) {
      std::vector<FramePlace> index;
      ImageWalk walk(image, area, [&](const FramePlace& place) { index.push_back(place); });
      while (true) {
        const Result<std::optional<ImageChunk>> chunk = walk.next();
        ASSERT_TRUE(chunk);
        if (!chunk->has_value()) break;
        const ImageChunk& c = **chunk;
        Truth truth{area, areas_[area].number, c.used, c.entry.bases, index.front(), index.back()};
        if (c.entry.has_frame()) truth.frames.push_back(c.entry.place);
        truth_.push_back(std::move(truth));
      }
    }
    links_ = {last_};
    for (const Link& link : image->catalog().links) links_.push_back(link.name);
    truth_drive_ = lab_.content();
    files_.clear();
    for (const std::string& file : lab_.place->names()) files_.emplace(file, Part(lab_.place->get(file)));
  }

  Result<SalvageReport> salvage(Files& files) {
    auto place = std::make_shared<MemoryPlace>();
    for (const auto& [file, part] : files)
      if (part.there) place->put(file, part.bytes);
    results_.clear();
    SalvageRequest request;
    request.place = place;
    request.image = last_;
    request.password = [this]() -> Result<std::string> { return lab_.password.value_or(""); };
    request.create = [this](const std::string& file, std::uint64_t size) -> Result<std::shared_ptr<Drive>> {
      return results_[file] = make_memory_drive(size);
    };
    JobContext context{lab_.events, lab_.cancel, lab_.clock, lab_.random, 1};
    return run_salvage(request, context);
  }

  bool whole(const Files& files, const FramePlace& place) const {
    const auto file = files.find(part_name(links_[place.link], place.part));
    return file != files.end() && file->second.holds(place.offset, place.bytes);
  }

  bool right(const SalvagedArea& area, std::size_t index, Extent extent) {
    Bytes got(static_cast<std::size_t>(extent.length));
    EXPECT_TRUE(results_.at(area.file)->read(area.file_byte + extent.start, got));
    return std::ranges::equal(got, ByteSpan(truth_drive_).subspan(static_cast<std::size_t>(areas_[index].start_byte + extent.start), got.size()));
  }

  void check(const Files& files, const SalvageReport& report) {
    for (const Truth& chunk : truth_) {
      bool frames = !chunk.frames.empty(), own = true, earlier = false;
      for (const FramePlace& place : chunk.frames) {
        frames = frames && whole(files, place);
        own = own && place.link == 0;
        earlier = earlier || (place.link != 0 && !whole(files, place));
      }
      const bool alone = own && chunk.frames.size() == 1;  // needs no index
      const bool known = report.layout_from != "nothing" && whole(files, chunk.directory) && whole(files, chunk.page);
      const bool must = frames && (known || alone);
      const auto area = std::ranges::find(report.areas, chunk.number, &SalvagedArea::number);
      EXPECT_TRUE(!must || area != report.areas.end());
      if (area == report.areas.end()) continue;
      for (const Extent& used : chunk.used) {
        if (used.end() > area->size_bytes) {
          EXPECT_FALSE(must);
          continue;
        }
        const bool listed = meets(area->lost, used) || meets(area->unknown, used) || meets(area->earlier, used);
        const bool all_listed = covers(area->lost, used) || covers(area->unknown, used) || covers(area->earlier, used);
        EXPECT_TRUE(!must || !listed) << "area " << chunk.number << " at " << used.start;
        EXPECT_TRUE(frames || chunk.frames.empty() || all_listed) << "area " << chunk.number << " at " << used.start;
        EXPECT_TRUE(listed || right(*area, chunk.area, used)) << "area " << chunk.number << " at " << used.start;
        if (known && !chunk.frames.empty() && !frames) {
          EXPECT_EQ(covers(area->earlier, used), earlier) << "area " << chunk.number << " at " << used.start;
        }
      }
    }
  }

  void damage_at_random(Files& files, std::uint64_t seed, bool keep_own_header) {
    SeededRandom random(seed);
    Bytes dice(16 * 9);
    ASSERT_TRUE(random.fill(dice));
    const std::size_t count = 1 + le32(dice, 0) % 8;
    for (std::size_t i = 1; i <= count; ++i) {
      auto file = std::next(files.begin(), le32(dice, i * 16 + 4) % static_cast<std::uint32_t>(files.size()));
      if (!keep_own_header || file->first != last_) damage(file->second, ByteSpan(dice).subspan(i * 16, 16));
    }
  }

  void survive_random_damage(std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      Files files = files_;
      damage_at_random(files, seed, lab_.password.has_value());
      const auto report = salvage(files);
      if (!report && report.error().code == ErrorCode::not_found) continue;  // no part of the last image is left
      ASSERT_TRUE(report) << report.error().message();
      check(files, *report);
    }
  }

  ChainLab lab_{21, 16 * kMiB};
  std::string last_ = "d.tti";
  std::vector<Area> areas_;
  std::vector<Truth> truth_;
  std::vector<std::string> links_;  // first parts, by link
  Bytes truth_drive_;
  Files files_;
  std::map<std::string, std::shared_ptr<Drive>> results_;
};

TEST_F(SalvageChain, OfASoundChainNothingIsLost) {
  make_chain();
  bool renumbered = false, deltas = false, shared_page = false;
  for (std::size_t i = 0; i < areas_.size(); ++i) renumbered |= areas_[i].number != i;
  for (const Truth& chunk : truth_) {
    deltas |= chunk.frames.size() > 1;
    shared_page |= chunk.page.link != 0;
  }
  EXPECT_TRUE(renumbered && deltas && shared_page) << renumbered << deltas << shared_page;
  const auto report = salvage(files_);
  ASSERT_TRUE(report) << report.error().message();
  check(files_, *report);
  EXPECT_EQ(report->lost_bytes() + report->unknown_bytes() + report->damaged_chunks + report->foreign_chunks + report->lone_deltas, 0U);
  EXPECT_EQ(report->chunks, static_cast<std::uint64_t>(std::ranges::count_if(truth_, [](const Truth& t) { return !t.frames.empty(); })));
  EXPECT_TRUE(report->notes.empty());
  EXPECT_EQ(lab_.content(*results_.at("drive.raw")), truth_drive_);
}

TEST_F(SalvageChain, RandomDamageToAnyFile) {
  make_chain();
  survive_random_damage(0, 60);
}

TEST_F(SalvageChain, RandomDamageToAnEncryptedChain) {
  lab_.password = "geheim";
  make_chain();
  survive_random_damage(500, 12);
}

TEST_F(SalvageChain, AMissingLinkIsNamedAndWhatItHoldsIsListed) {
  make_chain();
  for (const std::string gone : {"a.tti", "b.tti", "c.tti"}) {
    Files files = files_;
    std::erase_if(files, [&](const auto& file) { return file.first.starts_with(gone); });
    const auto report = salvage(files);
    ASSERT_TRUE(report) << report.error().message();
    check(files, *report);
    EXPECT_EQ(std::ranges::count_if(report->notes, [&](const std::string& note) { return note.find("builds on " + gone) != note.npos; }), 1) << gone;
    EXPECT_GT(report->lost_bytes() + report->unknown_bytes(), 0U);
  }
}

// A link whose trailer or headers are gone cannot be opened for a restore, but its frames are there.
TEST_F(SalvageChain, LinksNeedNoHeaderNorTrailer) {
  make_chain();
  Files files = files_;
  for (auto& [file, part] : files) part.overwrite(0, kPartHeaderBytes);
  for (std::size_t link = 1; link < links_.size(); ++link) {
    std::uint32_t last = 0;
    while (files.contains(part_name(links_[link], last + 1))) ++last;
    Part& part = files.at(part_name(links_[link], last));
    part.cut(part.bytes.size() - kTrailerBytes, kTrailerBytes);
  }
  const auto report = salvage(files);
  ASSERT_TRUE(report) << report.error().message();
  check(files, *report);
  EXPECT_EQ(report->lost_bytes() + report->unknown_bytes(), 0U);
}

TEST_F(SalvageChain, WithoutItsIndexDeltasAreOfNoUseAndSaidToBe) {
  make_chain();
  Files files = files_;
  std::size_t deltas = 0;
  for (const Truth& chunk : truth_) {
    deltas += chunk.frames.size() > 1 && chunk.frames.back().link == 0 ? 1 : 0;
    for (const FramePlace& piece : {chunk.directory, chunk.page})
      files.at(part_name(links_[piece.link], piece.part)).overwrite(static_cast<std::size_t>(piece.offset), piece.bytes);
  }
  ASSERT_GT(deltas, 0U);
  const auto report = salvage(files);
  ASSERT_TRUE(report) << report.error().message();
  check(files, *report);
  EXPECT_EQ(report->lone_deltas, deltas);
  EXPECT_EQ(report->damaged_chunks, 0U);
}

TEST_F(SalvageChain, AContinuedImageHasStaleFrames) {
  make_chain();
  last_ = "e.tti";
  lab_.scribble(2 * kMiB, 2000);
  lab_.scribble(5 * kMiB, 3 * kMiB);
  lab_.scribble(10 * kMiB, 3000);
  const std::shared_ptr<MemoryPlace> before = lab_.place;
  // Cut off ever later, until there is something to go on with that a newer state takes the place of.
  for (std::uint64_t step = 14;; step += 4) {
    lab_.place = before->copy();
    lab_.place->faults.stop_at = step;
    ASSERT_FALSE(lab_.backup(last_, "d.tti", 1)) << step;
    lab_.place = lab_.place->copy();
    lab_.scribble(5 * kMiB + 5000, 200000);
    BackupRequest request = lab_.request(last_);
    request.base = BackupBase{*lab_.open("d.tti"), "d.tti", ""};
    request.resume = true;
    const auto made = lab_.run(request);
    ASSERT_TRUE(made) << made.error().message();
    if (made->continued_bytes == 0) continue;
    learn();
    const auto report = salvage(files_);
    ASSERT_TRUE(report) << report.error().message();
    check(files_, *report);
    EXPECT_EQ(report->lost_bytes() + report->unknown_bytes(), 0U);
    EXPECT_EQ(lab_.content(*results_.at("drive.raw")), truth_drive_);
    if (report->foreign_chunks > 0) break;
  }
  EXPECT_EQ((*lab_.open(last_))->catalog().sessions, 2U);
  survive_random_damage(900, 8);
}

}  // namespace
}  // namespace tintype::test
