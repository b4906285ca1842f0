// SPDX-License-Identifier: GPL-3.0-or-later
// Changes-only images: what they store, what they read, and that every link of a chain gives back its own state.
#include <map>
#include <mutex>

#include "chain_fixture.h"
#include "drive/faulty_drive.h"
#include "image/writer.h"
#include "support/counting_place.h"
#include "support/fat_image.h"

namespace tintype::test {
namespace {

TEST(Chain, ADifferentialGivesBackItsState) {
  ChainLab lab;
  ASSERT_TRUE(lab.backup("full.tti"));
  const Bytes before = lab.content();
  lab.scribble(5 * kMiB, 9000);
  const auto report = lab.backup("diff.tti", "full.tti");
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->kind, "differential");
  EXPECT_EQ(report->changed_bytes, 512 * 1024U);
  EXPECT_TRUE(lab.gives("diff.tti", lab.content()));
  EXPECT_TRUE(lab.gives("full.tti", before));
  EXPECT_TRUE(lab.validate("diff.tti")->sound());
}

TEST(Chain, StoresLittleMoreThanWhatChanged) {
  ChainLab lab;
  ASSERT_TRUE(lab.backup("full.tti"));
  for (std::uint64_t at = 3; at < 9; ++at) lab.scribble(at * kMiB + 4096, 4096);
  ASSERT_TRUE(lab.backup("diff.tti", "full.tti"));
  // 24 KiB of five random bits a byte, the index of one region and the header.
  EXPECT_LT(lab.image_bytes("diff.tti"), 24 * 1024 + 4096 + 8192U);
  EXPECT_TRUE(lab.gives("diff.tti", lab.content()));
}

TEST(Chain, NothingChangedSharesThePages) {
  ChainLab lab;
  ASSERT_TRUE(lab.backup("full.tti"));
  const auto report = lab.backup("same.tti", "full.tti");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->changed_bytes, 0U);
  EXPECT_LT(lab.image_bytes("same.tti"), 4096 + 4096U);
  const auto image = lab.open("same.tti");
  ASSERT_TRUE(image);
  for (std::size_t area = 0; area < (*image)->catalog().areas.size(); ++area) {
    const Result<std::vector<PageRef>> pages = (*image)->directory(area, 0);
    ASSERT_TRUE(pages);
    for (const PageRef& ref : *pages) EXPECT_TRUE(!ref.present || ref.place.link == 1);
  }
  EXPECT_TRUE(lab.gives("same.tti", lab.content()));
}

TEST(Chain, EveryLinkOfALongChainGivesBackItsState) {
  for (const bool encrypted : {false, true}) {
    ChainLab lab(7);
    if (encrypted) lab.password = "geheim";
    std::vector<Bytes> truth;
    std::string base;
    for (int link = 0; link < 14; ++link) {
      const std::string name = "day" + std::to_string(link) + ".tti";
      ASSERT_TRUE(lab.backup(name, base)) << link;
      truth.push_back(lab.content());
      base = name;
      // One chunk changes a little every day: its deltas pile up and are cut.
      lab.scribble(4 * kMiB + lab.number(60) * 4096, 3000);
      lab.scribble(lab.number(16) * kMiB + 2 * kMiB, lab.number(200000));
    }
    for (std::size_t link = 0; link < truth.size(); ++link)
      EXPECT_TRUE(lab.gives("day" + std::to_string(link) + ".tti", truth[link])) << link;
    EXPECT_TRUE(lab.validate("day13.tti")->sound());
    const auto last = lab.open("day13.tti");
    EXPECT_EQ((*last)->catalog().links.size(), 13U);
    EXPECT_EQ((*last)->catalog().kind, "incremental");
  }
}

TEST(Chain, AnEncryptedBaseMakesAnEncryptedImageWithItsPassword) {
  ChainLab lab;
  lab.password = "eins";
  ASSERT_TRUE(lab.backup("full.tti"));
  lab.scribble(3 * kMiB, 100);
  BackupRequest r = lab.request("diff.tti");
  r.base = BackupBase{*lab.open("full.tti"), "full.tti", ""};
  r.encrypt = false;
  ASSERT_TRUE(lab.run(r));
  EXPECT_TRUE((*lab.open("diff.tti"))->header().encrypted);
  EXPECT_TRUE(lab.gives("diff.tti", lab.content()));
  r.password.reset();
  r.image = "other.tti";
  EXPECT_EQ(lab.run(r).error().code, ErrorCode::denied);
  lab.password = "zwei";
  EXPECT_EQ(lab.open("diff.tti").error().code, ErrorCode::denied);
}

TEST(Chain, AnEncryptedImageMayBuildOnAPlainOne) {
  ChainLab lab;
  ASSERT_TRUE(lab.backup("full.tti"));
  lab.scribble(3 * kMiB, 100000);
  lab.password = "eins";
  ASSERT_TRUE(lab.backup("diff.tti", "full.tti"));
  EXPECT_TRUE(lab.gives("diff.tti", lab.content()));
  EXPECT_TRUE(lab.validate("diff.tti")->sound());
}

TEST(Chain, IdenticalForAnyNumberOfWorkers) {
  std::vector<Bytes> made;
  for (const unsigned workers : {1U, 2U, 7U}) {
    ChainLab lab(3);
    ASSERT_TRUE(lab.backup("full.tti", "", workers));
    lab.scribble(4 * kMiB, 3 * kMiB);
    ASSERT_TRUE(lab.backup("diff.tti", "full.tti", workers));
    made.push_back(lab.place->get("diff.tti"));
  }
  EXPECT_EQ(made[0], made[1]);
  EXPECT_EQ(made[0], made[2]);
}

TEST(Chain, TwoPassesGiveTheSameImage) {
  ChainLab lab(5);
  ASSERT_TRUE(lab.backup("full.tti"));
  lab.scribble(4 * kMiB, 10000);
  lab.multi_pass = true;
  ASSERT_TRUE(lab.backup("diff.tti", "full.tti"));
  EXPECT_TRUE(std::ranges::find(lab.events.stages, "find changes") != lab.events.stages.end());
  EXPECT_TRUE(lab.gives("diff.tti", lab.content()));
}

// Clusters that come into use while the first of two passes is over, in a chunk it had no reason to look at.
TEST(Chain, WhatComesIntoUseBetweenTwoPassesIsSaved) {
  ChainLab lab(5, 12 * kMiB);
  const Layout layout = *read_layout(*lab.drive);
  const std::uint64_t start = layout.partitions[0].start_sector * 512;
  FatImage fat({.bits = 16, .clusters = 5000});
  fat.chain({10, 11});
  ASSERT_LE(fat.bytes().size(), layout.partitions[0].sector_count * 512);
  ASSERT_TRUE(lab.drive->write(start, fat.bytes()));
  ASSERT_TRUE(lab.backup("full.tti"));
  lab.multi_pass = true;
  lab.events.on_stage = [&](const std::string& stage) {
    if (stage != "backup") return;
    fat.chain({4000, 4001});  // two MiB further on
    ASSERT_TRUE(lab.drive->write(start, fat.bytes()));
    lab.scribble(start + fat.extent_of(4000).start, 1024);
  };
  ASSERT_TRUE(lab.backup("diff.tti", "full.tti"));
  lab.events.on_stage = {};
  const auto got = lab.restored("diff.tti");
  ASSERT_TRUE(got) << got.error().message();
  const std::uint64_t file = start + fat.extent_of(4000).start;
  const Bytes now = lab.content();
  EXPECT_TRUE(std::equal(now.begin() + static_cast<std::ptrdiff_t>(file), now.begin() + static_cast<std::ptrdiff_t>(file + 1024),
                         got->begin() + static_cast<std::ptrdiff_t>(file)));
  EXPECT_TRUE(lab.validate("diff.tti")->sound());
}

TEST(Chain, ABaseThatIsReplacedMeanwhileIsToldAndNothingPublished) {
  for (const bool renamed : {false, true}) {
    ChainLab lab;
    ASSERT_TRUE(lab.backup("full.tti"));
    const Bytes full = lab.place->get("full.tti");
    lab.scribble(3 * kMiB, 50000);
    BackupRequest r = lab.request("diff.tti");
    r.base = BackupBase{*lab.open("full.tti"), "full.tti", ""};
    bool replaced = false;
    lab.events.on_stage = [&](const std::string&) {
      if (std::exchange(replaced, true)) return;
      if (renamed) lab.place->put("moved.tti", full);
      ASSERT_TRUE(lab.backup("full.tti"));
    };
    const auto report = lab.run(r);
    EXPECT_EQ(report.has_value(), renamed);
    if (renamed) {
      EXPECT_TRUE(lab.gives("diff.tti", lab.content()));
      continue;
    }
    EXPECT_EQ(report.error().code, ErrorCode::not_found);
    EXPECT_FALSE(*lab.place->exists("diff.tti"));
    lab.place->put("full.tti", full);
    r.resume = true;
    r.base = BackupBase{*lab.open("full.tti"), "full.tti", ""};
    ASSERT_TRUE(lab.run(r));
    EXPECT_TRUE(lab.gives("diff.tti", lab.content()));
  }
}

// A base that calls data zeros under the data's own hash: believed, it would turn into zeros what did not change.
TEST(Chain, AnIndexThatCallsDataZerosIsNotBelieved) {
  ChainLab lab;
  ASSERT_TRUE(lab.backup("full.tti"));
  const auto full = lab.open("full.tti");
  const auto page = (*full)->page(1, 0);
  ASSERT_TRUE(page);
  constexpr std::uint64_t kChunk = 4;
  ASSERT_TRUE((*page)->entries[kChunk].has_frame());
  Catalog catalog = (*full)->catalog();
  for (Area& area : catalog.areas) {
    area.directories.clear();
    area.used_bytes = area.stored_bytes = 0;
  }
  ImageWriterOptions options;
  options.image = "evil.tti";
  auto writer = ImageWriter::create(lab.place, options, catalog, lab.random);
  ASSERT_TRUE(writer);
  for (std::size_t area = 0; area < catalog.areas.size(); ++area) {
    ASSERT_TRUE((*writer)->begin_area(area));
    ChunkEntry entry;
    entry.kind = ChunkEntry::Kind::zero;
    entry.hash = (*page)->entries[kChunk].hash;
    const std::array<Extent, 1> used = {Extent{kChunk * kChunkBytes, kChunkBytes}};
    if (area == 1) {
      ASSERT_TRUE((*writer)->add({kChunk, entry, {}, used, {}}));
    }
    ASSERT_TRUE((*writer)->end_area());
  }
  ASSERT_TRUE((*writer)->finish(lab.clock));
  for (const bool multi_pass : {false, true}) {
    lab.multi_pass = multi_pass;
    ASSERT_TRUE(lab.backup("diff.tti", "evil.tti"));
    EXPECT_TRUE(lab.gives("diff.tti", lab.content()));
  }
}

TEST(Chain, SectorsThatCanBeReadAgainAreNotCalledUnreadable) {
  for (const bool multi_pass : {false, true}) {
    ChainLab lab;
    lab.multi_pass = multi_pass;
    const std::uint64_t bad = 8 * kMiB;
    ASSERT_TRUE(lab.drive->write(bad, Bytes(512 * 1024)));  // zeros, so that the content is the same either way
    BackupRequest r = lab.request("full.tti");
    r.drive = make_faulty_drive(lab.drive, {.read_bad = {{.range = {bad, 512}}}});
    r.allow_errors = true;
    const auto first = lab.run(r);
    ASSERT_TRUE(first) << first.error().message();
    ASSERT_EQ(first->unreadable_bytes, 512U);
    const auto second = lab.backup("diff.tti", "full.tti");
    ASSERT_TRUE(second);
    EXPECT_EQ(second->unreadable_bytes, 0U);
    const auto image = lab.open("diff.tti");
    for (std::size_t area = 0; area < 3; ++area) {
      const auto page = (*image)->page(area, 0);
      ASSERT_TRUE(page);
      for (const ChunkEntry& entry : (*page)->entries) EXPECT_FALSE(entry.unreadable);
    }
    EXPECT_TRUE(lab.gives("diff.tti", lab.content()));
  }
}

TEST(Chain, FindingChangesReadsTheIndexAlone) {
  ChainLab lab(9, 64 * kMiB);
  ASSERT_TRUE(lab.backup("full.tti"));
  auto counting = std::make_shared<CountingPlace>(lab.place);
  const auto base = ImageReader::open(counting, "full.tti", {});
  ASSERT_TRUE(base);
  BackupRequest r = lab.request("same.tti");
  r.base = BackupBase{*base, "full.tti", ""};
  ASSERT_TRUE(lab.run(r));
  // Headers, trailer, catalog and three pages; the data is ten megabytes.
  EXPECT_LT(counting->bytes_read, 64 * 1024U);
  counting->bytes_read = 0;
  lab.scribble(4 * kMiB, 512);
  r.image = "diff.tti";
  ASSERT_TRUE(lab.run(r));
  EXPECT_LT(counting->bytes_read, 64 * 1024 + 512 * 1024U);
  EXPECT_TRUE(lab.gives("diff.tti", lab.content()));
}

// FEATURES R20, V1. Only a delta is read with what it builds on; here there is none.
TEST(Chain, SeveralPassesReadImageByImageAndGiveTheSame) {
  ChainLab lab(17);
  ASSERT_TRUE(lab.backup("a.tti"));
  for (const std::string name : {"b", "c"}) {
    for (std::uint64_t at = 2; at < 8; at += 2) lab.scribble((at + (name == "c" ? 1 : 0)) * kMiB, kMiB / 2);
    ASSERT_TRUE(lab.backup(name + ".tti", name == "b" ? "a.tti" : "b.tti"));
  }
  const Bytes truth = lab.content();
  for (const bool multi : {false, true}) {
    const auto place = std::make_shared<CountingPlace>(lab.place);
    const auto image = *ImageReader::open(place, "c.tti", {});
    JobContext context{lab.events, lab.cancel, lab.clock, lab.random, 2};
    auto target = make_memory_drive(truth.size());
    RestoreRequest request;
    request.image = image;
    request.target = target;
    request.plan = *plan_restore(image->catalog(), target->info(), *read_layout(*target), {}, {}, lab.random);
    request.multi_pass = multi;
    const auto report = run_restore(request, context);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(lab.content(*target), truth);
    const std::vector<std::string> in_turn{"a.tti", "b.tti", "c.tti"};
    EXPECT_EQ(place->chunks_of == in_turn, multi);
    place->chunks_of.clear();
    const auto checked = run_validate(image, context, multi);
    ASSERT_TRUE(checked);
    EXPECT_TRUE(checked->sound());
    EXPECT_EQ(place->chunks_of == in_turn, multi);
  }
}

TEST(Chain, SeveralPassesFindTheSameDamageOnce) {
  ChainLab lab(18);
  ASSERT_TRUE(lab.backup("a.tti"));
  lab.scribble(4 * kMiB, 2 * kMiB);
  ASSERT_TRUE(lab.backup("b.tti", "a.tti"));
  lab.scribble(5 * kMiB, kMiB);
  lab.scribble(13 * kMiB, 2000);
  ASSERT_TRUE(lab.backup("c.tti", "b.tti"));
  const auto damage = [&](bool multi) {
    JobContext context{lab.events, lab.cancel, lab.clock, lab.random, 2};
    const auto report = run_validate(*lab.open("c.tti"), context, multi);
    std::vector<std::string> what{std::to_string(report->damage_count), std::to_string(report->checked_bytes)};
    for (const Damage& each : report->damage) what.push_back(each.area + each.what);
    std::ranges::sort(what);
    return what;
  };
  const std::map<std::string, Bytes> sound{{"a.tti", lab.place->get("a.tti")}, {"b.tti", lab.place->get("b.tti")}, {"c.tti", lab.place->get("c.tti")}};
  for (int round = 0; round < 40; ++round) {
    for (const auto& [name, content] : sound) {
      Bytes bad = content;
      // Not the catalog, without which there is nothing to compare.
      bad[kPartHeaderBytes + lab.number(bad.size() - kPartHeaderBytes - 4096)] ^= std::byte{4};
      if (lab.number(2) == 0) lab.place->put(name, bad);
    }
    if (lab.number(5) == 0) {
      ASSERT_TRUE(lab.place->remove("a.tti"));
    }
    EXPECT_EQ(damage(false), damage(true)) << round;
    for (const auto& [name, content] : sound) lab.place->put(name, content);
  }
}

TEST(Chain, WithTheBasesDataOutOfReachChangedChunksAreStoredWhole) {
  ChainLab lab;
  ASSERT_TRUE(lab.backup("full.tti"));
  auto place = std::make_shared<CountingPlace>(lab.place);
  const auto base = ImageReader::open(place, "full.tti", {});
  ASSERT_TRUE(base);
  place->broken = true;
  lab.scribble(3 * kMiB, 512);
  lab.scribble(4 * kMiB, 512);
  BackupRequest r = lab.request("diff.tti");
  r.base = BackupBase{*base, "full.tti", ""};
  ASSERT_TRUE(lab.run(r));
  const auto base_warnings = std::ranges::count_if(lab.events.messages, [](const std::string& text) { return text.find("data of the base") != text.npos; });
  EXPECT_EQ(base_warnings, 1);
  EXPECT_GT(lab.image_bytes("diff.tti"), 300 * 1024U);
  EXPECT_TRUE(lab.gives("diff.tti", lab.content()));
}

TEST(Chain, AMovedPartitionStillMatches) {
  ChainLab lab;
  ASSERT_TRUE(lab.backup("full.tti"));
  // Partition 2 moves to the end of the drive, and its table entry with it.
  Layout layout = *read_layout(*lab.drive);
  const Partition second = layout.partitions[1];
  Bytes data(static_cast<std::size_t>(second.sector_count * 512));
  ASSERT_TRUE(lab.drive->read(second.start_sector * 512, data));
  const std::uint64_t start = (lab.drive->size_bytes() / 512 - second.sector_count) / 8 * 8;
  ASSERT_TRUE(lab.drive->write(start * 512, data));
  std::array<std::byte, 4> entry{};
  store_le(entry, 0, static_cast<std::uint32_t>(start));
  ASSERT_TRUE(lab.drive->write(446 + 16 + 8, entry));
  ASSERT_EQ(read_layout(*lab.drive)->partitions[1].start_sector, start);
  const auto report = lab.backup("moved.tti", "full.tti");
  ASSERT_TRUE(report);
  EXPECT_LE(report->changed_bytes, 2 * kMiB);  // the first track with the table alone
  EXPECT_LT(lab.image_bytes("moved.tti"), 64 * 1024U);
}

TEST(Chain, AMissingReplacedOrDamagedLinkIsNamedBeforeAnythingIsWritten) {
  ChainLab lab;
  ASSERT_TRUE(lab.backup("full.tti"));
  lab.scribble(3 * kMiB, 50000);
  ASSERT_TRUE(lab.backup("one.tti", "full.tti"));
  lab.scribble(4 * kMiB, 50000);
  ASSERT_TRUE(lab.backup("two.tti", "one.tti"));
  const Bytes one = lab.place->get("one.tti");

  ASSERT_TRUE(lab.place->remove("one.tti"));
  auto missing = lab.restored("two.tti");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_NE(missing.error().message().find("one.tti"), std::string::npos) << missing.error().message();

  lab.place->put("renamed.tti", one);  // found by its set id
  EXPECT_TRUE(lab.gives("two.tti", lab.content()));
  ASSERT_TRUE(lab.place->remove("renamed.tti"));

  ASSERT_TRUE(lab.backup("one.tti", "full.tti"));  // another image of that name
  EXPECT_EQ(lab.restored("two.tti").error().code, ErrorCode::not_found);

  lab.place->put("one.tti", ByteSpan(one).first(one.size() - 100));
  auto cut = lab.restored("two.tti");
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, ErrorCode::corrupt);

  auto report = lab.validate("two.tti");
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->sound());
  EXPECT_LE(report->damage_count, 3U);  // the link, and each partition that lies in it
}

TEST(Chain, LinksAreFoundInNamedPlaces) {
  ChainLab lab;
  ASSERT_TRUE(lab.backup("full.tti"));
  lab.scribble(3 * kMiB, 50000);
  ASSERT_TRUE(lab.backup("one.tti", "full.tti"));
  auto elsewhere = std::make_shared<MemoryPlace>();
  elsewhere->put("full.tti", lab.place->get("full.tti"));
  ASSERT_TRUE(lab.place->remove("full.tti"));
  EXPECT_FALSE((*lab.open("one.tti"))->check_links());
  EXPECT_TRUE((*lab.open("one.tti", {{elsewhere, "full.tti"}}))->check_links());
}

TEST(Chain, EveryFlippedByteOfALinkIsFound) {
  ChainLab lab(11, 8 * kMiB);
  ASSERT_TRUE(lab.backup("full.tti"));
  lab.scribble(3 * kMiB, 3000);
  ASSERT_TRUE(lab.backup("one.tti", "full.tti"));
  const Bytes sound = lab.place->get("one.tti");
  for (std::size_t at = 0; at < sound.size(); at += 1 + lab.number(40)) {
    Bytes bad = sound;
    bad[at] ^= static_cast<std::byte>(1 + lab.number(255));
    lab.place->put("one.tti", bad);
    const auto report = lab.validate("one.tti");
    EXPECT_TRUE(!report || !report->sound()) << at;
  }
}

TEST(Chain, WorksWithoutCompressionAndInSmallParts) {
  ChainLab lab(13);
  lab.compression = 0;
  lab.max_part_bytes = kMiB;
  ASSERT_TRUE(lab.backup("full.tti"));
  std::string base = "full.tti";
  for (const std::string name : {"a.tti", "b.tti", "c.tti"}) {
    for (int i = 0; i < 10; ++i) lab.scribble(2 * kMiB + lab.number(16 * kMiB), lab.number(400000));
    ASSERT_TRUE(lab.backup(name, base));
    EXPECT_TRUE(lab.gives(name, lab.content()));
    EXPECT_TRUE(lab.validate(name)->sound());
    base = name;
  }
}

}  // namespace
}  // namespace tintype::test
