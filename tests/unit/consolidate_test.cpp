// SPDX-License-Identifier: GPL-3.0-or-later
// One image out of a run of a chain: that it gives the state it should, on its own, with frames that are byte for byte those of
// the chain; what is refused; and what --replace deletes.
#include "chain_fixture.h"
#include "drive/faulty_drive.h"
#include "image/part_names.h"

namespace tintype::test {
namespace {

// A chain full, day1 … day5 whose images differ in few places, one chunk a little in each.
struct Chain6 {
  enum class Protection { none, all, later };
  explicit Chain6(Protection protection = Protection::none, int compression = 1, std::uint64_t part_bytes = 0, std::uint64_t seed = 21)
      : lab(seed, 8 * kMiB) {
    lab.compression = compression;
    lab.max_part_bytes = part_bytes;
    for (std::size_t i = 0; i < 6; ++i) {
      const bool protect = protection == Protection::all || (protection == Protection::later && i >= 4);
      lab.password = protect ? std::optional<std::string>("geheim") : std::nullopt;
      const auto made = lab.backup(name(i), i == 0 ? "" : name(i - 1));
      EXPECT_TRUE(made) << (made ? "" : made.error().message());
      truth.push_back(lab.content());
      lab.scribble(3 * kMiB + 4096 * i, 3000);
      lab.scribble(2 * kMiB + lab.number(5 * kMiB), 1 + lab.number(90000));
      lab.scribble(4 * kMiB + 512 * 1024 * (i % 3), 2000);
    }
  }
  static std::string name(std::size_t i) { return i == 0 ? "full.tti" : "day" + std::to_string(i) + ".tti"; }

  ChainLab lab;
  std::vector<Bytes> truth;
};

std::map<std::string, Bytes> files_of(const MemoryPlace& place) {
  std::map<std::string, Bytes> files;
  for (const std::string& name : place.names()) files[name] = place.get(name);
  return files;
}

// Only the files of these images.
void keep_only(MemoryPlace& place, const std::vector<std::string>& images) {
  for (const std::string& file : place.names())
    if (std::ranges::none_of(images, [&](const std::string& image) { return file.starts_with(image); })) {
      ASSERT_TRUE(place.remove(file));
    }
}

struct Way {
  Chain6::Protection protection;
  int compression;
  std::uint64_t part_bytes;
};

class ConsolidateWays : public ::testing::TestWithParam<Way> {};

TEST_P(ConsolidateWays, AFullImageStandsForItself) {
  Chain6 chain(GetParam().protection, GetParam().compression, GetParam().part_bytes);
  ChainLab& lab = chain.lab;
  const auto before = files_of(*lab.place);
  const auto report = lab.consolidate("day5.tti", "merged.tti");
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->kind, "full");
  EXPECT_EQ(report->images, 6U);
  EXPECT_EQ(report->image_bytes, lab.image_bytes("merged.tti"));
  for (const auto& [name, content] : before) EXPECT_EQ(lab.place->get(name), content) << name;
  keep_only(*lab.place, {"merged.tti"});
  EXPECT_TRUE(lab.gives("merged.tti", chain.truth[5]));
  // And a chain goes on from it.
  lab.scribble(3 * kMiB, 5000);
  const auto next = lab.backup("next.tti", "merged.tti");
  ASSERT_TRUE(next) << next.error().message();
  EXPECT_EQ(next->kind, "differential");
  EXPECT_TRUE(lab.gives("next.tti", lab.content()));
  EXPECT_TRUE(lab.gives("merged.tti", chain.truth[5]));
}

TEST_P(ConsolidateWays, AnyRunOfTheChain) {
  Chain6 chain(GetParam().protection, GetParam().compression, GetParam().part_bytes, 22);
  ChainLab& lab = chain.lab;
  for (const std::uint32_t base : {1U, 2U, 4U}) {
    const std::string merged = "merged" + std::to_string(base) + ".tti";
    const auto report = lab.consolidate("day5.tti", merged, base);
    ASSERT_TRUE(report) << base << report.error().message();
    EXPECT_EQ(report->kind, base == 1 ? "differential" : "incremental");
    EXPECT_EQ(report->images, 6 - base);
    EXPECT_TRUE(lab.gives(merged, chain.truth[5]));
    const auto image = lab.open(merged);
    ASSERT_TRUE(image);
    EXPECT_EQ((*image)->catalog().links.size(), base);
    EXPECT_EQ((*image)->header().base_id, (*image)->catalog().links.back().set_id);
  }
  keep_only(*lab.place, {"full.tti", "day1.tti", "merged2.tti"});
  EXPECT_TRUE(lab.gives("merged2.tti", chain.truth[5]));
  EXPECT_TRUE(lab.validate("merged2.tti")->sound());
  lab.scribble(3 * kMiB, 5000);
  ASSERT_TRUE(lab.backup("next.tti", "merged2.tti"));
  EXPECT_TRUE(lab.gives("next.tti", lab.content()));
}

INSTANTIATE_TEST_SUITE_P(Images, ConsolidateWays,
                         ::testing::Values(Way{Chain6::Protection::none, 1, 0}, Way{Chain6::Protection::all, 1, 0},
                                           Way{Chain6::Protection::none, 0, kMiB}, Way{Chain6::Protection::later, 2, kMiB}));

// Calls `visit(places in the chain's image, places in the new one)` for each chunk of both that has frames.
template <class Visit>
void for_each_chunk(ImageReader& before, ImageReader& after, const Visit& visit) {
  ASSERT_EQ(before.catalog().areas.size(), after.catalog().areas.size());
  for (std::size_t area = 0; area < before.catalog().areas.size(); ++area)
    for (std::uint64_t region = 0; region < region_count(before.catalog().areas[area].size_bytes); ++region) {
      const auto old_page = before.page(area, region);
      const auto new_page = after.page(area, region);
      ASSERT_TRUE(old_page && new_page);
      ASSERT_EQ(*old_page == nullptr, *new_page == nullptr);
      if (!*old_page) continue;
      EXPECT_EQ((*old_page)->used, (*new_page)->used);
      EXPECT_EQ((*old_page)->unreadable, (*new_page)->unreadable);
      for (std::size_t i = 0; i < (*old_page)->entries.size(); ++i) visit((*old_page)->entries[i], (*new_page)->entries[i]);
    }
}

Bytes frame_of(ImageReader& image, const FramePlace& place) {
  Bytes frame;
  EXPECT_TRUE((*image.chain().parts(place.link))->read(place, frame));
  return frame;
}

TEST(Consolidate, FramesAreTheSameBytes) {
  for (const auto protection : {Chain6::Protection::none, Chain6::Protection::all}) {
    Chain6 chain(protection);
    ChainLab& lab = chain.lab;
    ASSERT_TRUE(lab.consolidate("day5.tti", "merged.tti"));
    const auto before = lab.open("day5.tti"), after = lab.open("merged.tti");
    std::size_t frames = 0, deltas = 0;
    for_each_chunk(**before, **after, [&](const ChunkEntry& a, const ChunkEntry& b) {
      EXPECT_EQ(a.hash, b.hash);
      EXPECT_EQ(a.kind, b.kind);
      ASSERT_EQ(a.bases.size(), b.bases.size());
      if (!a.has_frame()) return;
      EXPECT_EQ(b.place.link, 0U);
      EXPECT_EQ(frame_of(**before, a.place), frame_of(**after, b.place));
      for (std::size_t i = 0; i < a.bases.size(); ++i) {
        EXPECT_EQ(b.bases[i].link, 0U);
        EXPECT_EQ(frame_of(**before, a.bases[i]), frame_of(**after, b.bases[i]));
      }
      ++frames;
      deltas += a.kind == ChunkEntry::Kind::delta ? 1 : 0;
    });
    EXPECT_GT(frames, 5U);
    EXPECT_GE(deltas, 2U);
  }
}

TEST(Consolidate, PlainFramesOfAnEncryptedChainAreSealed) {
  Chain6 chain(Chain6::Protection::later, 0);
  ChainLab& lab = chain.lab;
  ASSERT_FALSE((*lab.open("day1.tti"))->header().encrypted);
  ASSERT_TRUE(lab.consolidate("day5.tti", "merged.tti"));
  const auto sample = chain.truth[0].begin() + 2 * kMiB + 1000;
  const auto holds_sample = [&](const Bytes& file) { return std::search(file.begin(), file.end(), sample, sample + 64) != file.end(); };
  // Without compression the drive's bytes stand in the plain images.
  EXPECT_TRUE(holds_sample(lab.place->get("full.tti")));
  EXPECT_FALSE(holds_sample(lab.place->get("merged.tti")));
  keep_only(*lab.place, {"merged.tti"});
  const auto image = lab.open("merged.tti");
  ASSERT_TRUE(image);
  EXPECT_TRUE((*image)->header().encrypted);
  lab.password = "falsch";
  EXPECT_EQ(lab.open("merged.tti").error().code, ErrorCode::denied);
}

TEST(Consolidate, DeltasOfTheGreatestDepth) {
  ChainLab lab(23, 12 * kMiB);
  ASSERT_TRUE(lab.backup("i0.tti"));
  std::string last = "i0.tti";
  for (int i = 1; i <= 8; ++i) {
    lab.scribble(3 * kMiB + static_cast<std::uint64_t>(i) * 5000, 300);
    const std::string name = "i" + std::to_string(i) + ".tti";
    ASSERT_TRUE(lab.backup(name, last));
    last = name;
  }
  const Bytes truth = lab.content();
  for (const std::uint32_t base : {0U, 3U}) {
    const std::string merged = "merged" + std::to_string(base) + ".tti";
    ASSERT_TRUE(lab.consolidate(last, merged, base));
    EXPECT_TRUE(lab.gives(merged, truth));
    const auto before = lab.open(last), after = lab.open(merged);
    std::size_t deepest = 0;
    for_each_chunk(**before, **after, [&](const ChunkEntry& a, const ChunkEntry& b) {
      deepest = std::max(deepest, b.bases.size());
      for (std::size_t i = 0; i < b.bases.size(); ++i) EXPECT_EQ(b.bases[i].link, a.bases[i].link <= base ? a.bases[i].link : 0);
    });
    EXPECT_EQ(deepest, kMaxDeltaBases);
  }
  lab.scribble(3 * kMiB + 100, 300);
  ASSERT_TRUE(lab.backup("next.tti", "merged0.tti"));
  EXPECT_TRUE(lab.gives("next.tti", lab.content()));
}

TEST(Consolidate, TellsWhatTheImageToldAndKeepsUnreadableRanges) {
  ChainLab lab(24, 12 * kMiB);
  ASSERT_TRUE(lab.backup("full.tti"));
  FaultPlan plan;
  plan.read_bad.push_back({{3 * kMiB + 1024, 512}});
  BackupRequest r = lab.request("day1.tti");
  r.drive = make_faulty_drive(lab.drive, plan);
  r.allow_errors = true;
  r.description = "Freitag";
  r.host = "rechner";
  r.base = BackupBase{*lab.open("full.tti"), "full.tti", ""};
  ASSERT_TRUE(lab.run(r));
  ASSERT_TRUE(lab.consolidate("day1.tti", "merged.tti"));
  const auto before = lab.open("day1.tti"), after = lab.open("merged.tti");
  const Catalog &a = (*before)->catalog(), &b = (*after)->catalog();
  EXPECT_EQ(b.description, "Freitag");
  EXPECT_EQ(b.host, "rechner");
  EXPECT_EQ(b.created, a.created);
  EXPECT_EQ(b.consistency, a.consistency);
  EXPECT_EQ(b.layout.signature_text(), a.layout.signature_text());
  ASSERT_EQ(b.areas.size(), a.areas.size());
  std::uint64_t unreadable = 0;
  for (std::size_t i = 0; i < a.areas.size(); ++i) {
    EXPECT_EQ(b.areas[i].number, a.areas[i].number);
    EXPECT_EQ(b.areas[i].start_byte, a.areas[i].start_byte);
    EXPECT_EQ(b.areas[i].used_bytes, a.areas[i].used_bytes);
    EXPECT_EQ(b.areas[i].unreadable_bytes, a.areas[i].unreadable_bytes);
    unreadable += b.areas[i].unreadable_bytes;
  }
  EXPECT_EQ(unreadable, 512U);
  for_each_chunk(**before, **after, [](const ChunkEntry& x, const ChunkEntry& y) { EXPECT_EQ(x.unreadable, y.unreadable); });
  EXPECT_TRUE(lab.gives("merged.tti", *lab.restored("day1.tti")));
}

TEST(Consolidate, IdenticalForAnyNumberOfWorkers) {
  std::vector<Bytes> made;
  for (const unsigned workers : {1U, 7U}) {
    Chain6 chain(Chain6::Protection::later);
    ASSERT_TRUE(chain.lab.consolidate("day5.tti", "merged.tti", 0, false, workers));
    made.push_back(chain.lab.place->get("merged.tti"));
  }
  EXPECT_EQ(made[0], made[1]);
}

TEST(Consolidate, SharesThePagesOfItsBase) {
  ChainLab lab(25, 12 * kMiB);
  ASSERT_TRUE(lab.backup("full.tti"));
  ASSERT_TRUE(lab.backup("day1.tti", "full.tti"));
  ASSERT_TRUE(lab.backup("day2.tti", "day1.tti"));
  ASSERT_TRUE(lab.consolidate("day2.tti", "merged.tti", 1));
  EXPECT_LT(lab.image_bytes("merged.tti"), 4096 + 4096U);
  EXPECT_TRUE(lab.gives("merged.tti", lab.content()));
}

TEST(Consolidate, AnOldImageIsNeverTheTarget) {
  Chain6 chain;
  const auto before = chain.lab.place->names();
  for (const std::string target : {"day5.tti", "day2.tti", "full.tti"}) {
    const Bytes old = chain.lab.place->get(target);
    EXPECT_EQ(chain.lab.consolidate("day5.tti", target).error().code, ErrorCode::refused);
    EXPECT_EQ(chain.lab.place->get(target), old);
  }
  ASSERT_TRUE(chain.lab.backup("other.tti"));
  EXPECT_EQ(chain.lab.consolidate("day5.tti", "other.tti").error().code, ErrorCode::exists);
}

TEST(Consolidate, WhatIsMissingOrDamagedIsNamedAndNothingIsLeft) {
  Chain6 chain;
  MemoryPlace& place = *chain.lab.place;
  const Bytes full = place.get("full.tti");
  const auto names = place.names();
  ASSERT_TRUE(place.remove("full.tti"));
  const auto missing = chain.lab.consolidate("day5.tti", "merged.tti");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message().find("full.tti"), std::string::npos) << missing.error().message();
  Bytes damaged = full;
  damaged[damaged.size() / 2] ^= std::byte{1};
  place.put("full.tti", damaged);
  const auto broken = chain.lab.consolidate("day5.tti", "merged.tti");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, ErrorCode::corrupt);
  EXPECT_NE(broken.error().message().find("full.tti"), std::string::npos) << broken.error().message();
  EXPECT_EQ(place.names(), names);
}

// A frame whose checksums were made to fit is only found by its hash: by the validation, before anything is deleted.
TEST(Consolidate, ATamperedChunkKeepsTheOldImages) {
  Chain6 chain(Chain6::Protection::none, 0);
  MemoryPlace& place = *chain.lab.place;
  std::optional<FramePlace> victim;
  const auto image = chain.lab.open("day5.tti");
  for_each_chunk(**image, **image, [&](const ChunkEntry& entry, const ChunkEntry&) {
    if (entry.kind == ChunkEntry::Kind::stored && entry.place.link == 1 && !victim) victim = entry.place;
  });
  ASSERT_TRUE(victim);
  Bytes full = place.get("full.tti");
  const MutableByteSpan frame = MutableByteSpan(full).subspan(static_cast<std::size_t>(victim->offset), victim->bytes);
  frame[kContentAt + 1000] ^= std::byte{4};
  FrameHeader header = *FrameHeader::decode(frame);
  header.payload_checksum = frame_checksum(frame.subspan(kFrameHeaderBytes));
  header.encode(frame.first(kFrameHeaderBytes));
  place.put("full.tti", full);
  const auto names = place.names();
  const auto report = chain.lab.consolidate("day5.tti", "merged.tti", 0, true);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::corrupt);
  for (const std::string& name : names) EXPECT_TRUE(*place.exists(name)) << name;
}

TEST(Replace, DeletesTheRunAndNothingElse) {
  Chain6 chain(Chain6::Protection::none, 0, kMiB);
  ChainLab& lab = chain.lab;
  lab.place->put("day5.tti.77", Bytes(100));        // somebody else's
  lab.place->put("notes.tti", Bytes(5000));         // no image
  const auto report = lab.consolidate("day5.tti", "merged.tti", 2, true);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->removed, (std::vector<std::string>{"day5.tti", "day4.tti", "day3.tti", "day2.tti"}));
  EXPECT_TRUE(report->kept.empty());
  for (const std::string& name : lab.place->names())
    EXPECT_TRUE(name.starts_with("full.tti") || name.starts_with("day1.tti") || name.starts_with("merged.tti") || name == "day5.tti.77" ||
                name == "notes.tti")
        << name;
  EXPECT_TRUE(lab.gives("merged.tti", chain.truth[5]));
  EXPECT_TRUE(lab.gives("day1.tti", chain.truth[1]));
}

TEST(Replace, KeepsWhatAnotherImageBuildsOn) {
  Chain6 chain(Chain6::Protection::later);
  ChainLab& lab = chain.lab;
  ASSERT_TRUE(lab.backup("branch.tti", "day3.tti"));
  ASSERT_TRUE(lab.backup("twig.tti", "branch.tti"));
  const Bytes truth = lab.content();
  auto report = lab.consolidate("day5.tti", "merged.tti", 0, true);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->removed, (std::vector<std::string>{"day5.tti", "day4.tti"}));
  ASSERT_EQ(report->kept.size(), 4U);
  EXPECT_NE(report->kept.back().find("day3.tti is kept: branch.tti builds on it"), std::string::npos) << report->kept.back();
  EXPECT_TRUE(lab.gives("twig.tti", truth));
  EXPECT_TRUE(lab.gives("merged.tti", chain.truth[5]));
  // With the branch elsewhere and the twig's catalog closed, nothing tells what the twig builds on.
  const Bytes branch = lab.place->get("branch.tti");
  ASSERT_TRUE(lab.place->remove("branch.tti"));
  report = lab.consolidate("day3.tti", "merged3.tti", 0, true);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_TRUE(report->removed.empty());
  ASSERT_EQ(report->kept.size(), 4U);
  EXPECT_NE(report->kept.back().find("twig.tti may build on it"), std::string::npos) << report->kept.back();
  lab.place->put("branch.tti", branch);
  EXPECT_TRUE(lab.gives("twig.tti", truth));
}

// The catalog of an image lists all it builds on: also what its own base, which lies elsewhere, builds on.
TEST(Replace, ACatalogTellsMoreThanTheHeader) {
  Chain6 chain;
  ChainLab& lab = chain.lab;
  ASSERT_TRUE(lab.backup("branch.tti", "day1.tti"));
  ASSERT_TRUE(lab.backup("twig.tti", "branch.tti"));
  ASSERT_TRUE(lab.place->remove("branch.tti"));
  const auto report = lab.consolidate("day5.tti", "merged.tti", 0, true);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->removed, (std::vector<std::string>{"day5.tti", "day4.tti", "day3.tti", "day2.tti"}));
  ASSERT_EQ(report->kept.size(), 2U);
  EXPECT_EQ(report->kept.back(), "day1.tti is kept: twig.tti builds on it");
}

TEST(Replace, CopiesAndUnfinishedImagesCount) {
  Chain6 chain;
  ChainLab& lab = chain.lab;
  lab.place->put("copy of day2.tti", lab.place->get("day2.tti"));
  auto report = lab.consolidate("day5.tti", "merged.tti", 0, true);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->removed, (std::vector<std::string>{"day5.tti", "day4.tti", "day3.tti", "day2.tti"}));
  EXPECT_TRUE(lab.gives("copy of day2.tti", chain.truth[2]));
  // A backup that is just being made.
  PartHeader header;
  header.set_id.fill(std::byte{9});
  header.base_id = (*lab.open("day1.tti"))->header().set_id;
  lab.place->put("new.tti.partial", header.encode());
  ASSERT_TRUE(lab.place->remove("copy of day2.tti"));
  report = lab.consolidate("day1.tti", "merged1.tti", 0, true);
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->removed.empty());
  ASSERT_EQ(report->kept.size(), 2U);
  EXPECT_NE(report->kept.back().find("new.tti.partial"), std::string::npos);
}

TEST(Replace, AnUnreadableImageInTheFolderStopsIt) {
  Chain6 chain;
  Bytes strange = chain.lab.place->get("day4.tti");
  strange[100] ^= std::byte{1};
  chain.lab.place->put("strange.tti", strange);
  const auto report = chain.lab.consolidate("day5.tti", "merged.tti", 0, true);
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message().find("strange.tti"), std::string::npos);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_TRUE(chain.lab.gives(Chain6::name(i), chain.truth[i]));
  EXPECT_TRUE(chain.lab.gives("merged.tti", chain.truth[5]));
}

TEST(Replace, NeedsTheValidation) {
  Chain6 chain;
  ConsolidateRequest r;
  r.image = *chain.lab.open("day5.tti");
  r.place = chain.lab.place;
  r.name = "merged.tti";
  r.validate = false;
  r.remove_replaced = true;
  EXPECT_EQ(chain.lab.run(r).error().code, ErrorCode::usage);
  r.remove_replaced = false;
  EXPECT_TRUE(chain.lab.run(r));
}

}  // namespace
}  // namespace tintype::test
