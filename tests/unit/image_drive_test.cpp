// SPDX-License-Identifier: GPL-3.0-or-later
// An opened image as a drive: the same bytes as the source, whatever the chain, and what it says of ranges it does not hold.
#include <thread>

#include "chain_fixture.h"
#include "image/image_drive.h"
#include "support/counting_place.h"

namespace tintype::test {
namespace {

// Every run that the image holds equals the source, and all others read as zeros.
void expect_same(Drive& image, const Bytes& source) {
  std::uint64_t saved = 0;
  for (std::uint64_t at = 0; at < image.size_bytes();) {
    const Result<BlockStatus> status = image.status(at, image.size_bytes() - at);
    ASSERT_TRUE(status) << status.error().message();
    ASSERT_EQ(status->extent.start, at);
    ASSERT_GT(status->extent.length, 0U);
    Bytes got(static_cast<std::size_t>(status->extent.length), std::byte{0xEE});
    ASSERT_TRUE(image.read(at, got));
    if (status->state == BlockState::not_saved) {
      EXPECT_TRUE(std::ranges::all_of(got, [](std::byte b) { return b == std::byte{0}; })) << "at " << at;
    } else {
      saved += got.size();
      EXPECT_TRUE(std::ranges::equal(got, ByteSpan(source).subspan(static_cast<std::size_t>(at), got.size()))) << "at " << at;
      if (status->state == BlockState::hole) {
        EXPECT_TRUE(std::ranges::all_of(got, [](std::byte b) { return b == std::byte{0}; })) << "at " << at;
      }
    }
    at += status->extent.length;
  }
  EXPECT_GT(saved, source.size() / 2);
}

constexpr std::uint64_t kSomeChunk = 5 * kMiB;  // where one begins, in the first GiB of an area

struct FoundFrame {
  FramePlace place;
  FrameAddress address;
};

FoundFrame frame_of_some_chunk(ImageReader& image) {
  const std::vector<Area>& areas = image.catalog().areas;
  for (std::size_t i = 0; i < areas.size(); ++i) {
    if (kSomeChunk < areas[i].start_byte || kSomeChunk - areas[i].start_byte >= areas[i].size_bytes) continue;
    const std::uint64_t number = (kSomeChunk - areas[i].start_byte) / kChunkBytes;
    const auto page = image.page(i, 0);
    EXPECT_TRUE(page);
    return {(*page)->entries[static_cast<std::size_t>(number)].place, {areas[i].number, number}};
  }
  ADD_FAILURE() << "no area has it";
  return {};
}

TEST(ImageDrive, HoldsWhatTheSourceHeldAtEachLink) {
  for (const bool other : {false, true}) {
    ChainLab lab(7);
    if (other) lab.password = "secret";
    lab.max_part_bytes = 2 * kMiB;
    std::vector<Bytes> truth;
    for (int link = 0; link < 4; ++link) {
      if (link > 0) lab.scribble(lab.number(20 * kMiB), 300'000);
      ASSERT_TRUE(lab.backup(std::to_string(link) + ".tti", link == 0 ? "" : std::to_string(link - 1) + ".tti"));
      truth.push_back(lab.content());
    }
    for (int link = 0; link < 4; ++link) {
      const auto image = lab.open(std::to_string(link) + ".tti");
      ASSERT_TRUE(image) << image.error().message();
      const auto drive = make_image_drive(*image, {.name = "x", .cache_bytes = 2 * kMiB, .beginnings = other});
      EXPECT_EQ(drive->size_bytes(), lab.drive->size_bytes());
      EXPECT_EQ(drive->info().path, "x");
      EXPECT_TRUE(drive->info().read_only);
      expect_same(*drive, truth[static_cast<std::size_t>(link)]);
      const Result<Layout> layout = read_layout(*drive);
      ASSERT_TRUE(layout);
      EXPECT_EQ(layout->partitions, (*image)->catalog().layout.partitions);
    }
  }
}

class ImageDriveReaders : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(WholeChunksAndBeginnings, ImageDriveReaders, ::testing::Bool());

TEST_P(ImageDriveReaders, OfAllKindsGetTheSameBytesAtTheSameTime) {
  ChainLab lab(8);
  ASSERT_TRUE(lab.backup("full.tti"));
  lab.scribble(9 * kMiB, kMiB);
  ASSERT_TRUE(lab.backup("more.tti", "full.tti"));
  const Bytes truth = lab.content();
  const auto drive = make_image_drive(*lab.open("more.tti"), {.cache_bytes = 3 * kMiB, .beginnings = GetParam()});
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      SeededRandom random(t);
      Bytes got;
      for (int i = 0; i < 300; ++i) {
        std::array<std::byte, 16> dice{};
        EXPECT_TRUE(random.fill(dice));
        // Half of them in order, as a copy reads; the others anywhere in what is sure to be held.
        const std::uint64_t at = 2 * kMiB + (t % 2 ? static_cast<std::uint64_t>(i) * 20'000 : le64(dice, 0) % (6 * kMiB));
        got.resize(1 + static_cast<std::size_t>(le64(dice, 8) % 200'000));
        ASSERT_TRUE(drive->read(at, got));
        ASSERT_TRUE(std::ranges::equal(got, ByteSpan(truth).subspan(static_cast<std::size_t>(at), got.size()))) << at;
        if (i % 50 == 0) drive->drop_cache();
        if (i % 7 == 0) drive->will_need(at, 4 * kMiB);
      }
    });
  }
}

TEST(ImageDrive, WhatItHoldsStaysAsItIsWhileTheCacheGoesOn) {
  ChainLab lab(9);
  ASSERT_TRUE(lab.backup("x.tti", ""));
  const auto image = lab.open("x.tti");
  ASSERT_TRUE(image);
  const auto drive = make_image_drive(*image, {.cache_bytes = 2 * kMiB});
  const Bytes source = lab.content();
  const auto same_as_read = [&](std::uint64_t at, ByteSpan bytes) {
    Bytes again(bytes.size());
    return drive->read(at, again).has_value() && std::ranges::equal(again, bytes);
  };
  std::vector<std::pair<std::uint64_t, HeldBytes>> kept;
  std::uint64_t saved = 0;
  // In order, twice: the cache holds four chunks, those behind the reader are given up, and their memory is used again.
  for (int round = 0; round < 2; ++round)
    for (std::uint64_t at = 0; at < drive->size_bytes();) {
      auto held = drive->held(at, std::min<std::uint64_t>(300'000, drive->size_bytes() - at));
      ASSERT_TRUE(held) << held.error().message();
      ASSERT_TRUE(*held);
      const std::uint64_t next = at + (*held)->bytes.size();
      ASSERT_GT(next, at);
      const Result<BlockStatus> status = drive->status(at, 1);
      if (status->state == BlockState::data) {
        EXPECT_TRUE((*held)->bytes.front() == source[static_cast<std::size_t>(at)]) << "at " << at;
        ++saved;
      }
      if (kept.size() < 40) kept.emplace_back(at, std::move(**held));
      at = next;
    }
  EXPECT_GT(saved, 20U);
  for (const auto& [at, held] : kept) EXPECT_TRUE(same_as_read(at, held.bytes)) << "at " << at;
}

TEST(ImageDrive, RefusesToBeWrittenAndKnowsItsBounds) {
  ChainLab lab;
  ASSERT_TRUE(lab.backup("full.tti"));
  const auto drive = make_image_drive(*lab.open("full.tti"));
  Bytes block(512);
  EXPECT_EQ(drive->write(0, block).error().code, ErrorCode::denied);
  EXPECT_EQ(drive->zero(0, 512).error().code, ErrorCode::denied);
  EXPECT_EQ(drive->read(drive->size_bytes() - 511, block).error().code, ErrorCode::out_of_bounds);
  EXPECT_EQ(drive->status(drive->size_bytes(), 1).error().code, ErrorCode::out_of_bounds);
  EXPECT_TRUE(drive->flush());
}

// Data that is stored as it is, too.
TEST(ImageDrive, DecodesOfAChunkNoMoreThanIsWantedUntilMoreIs) {
  for (const int compression : {0, 1}) {
    ChainLab lab(10);
    lab.compression = compression;
    ASSERT_TRUE(lab.backup("full.tti"));
    const Bytes truth = lab.content();
    const auto counting = std::make_shared<CountingPlace>(lab.place);
    const auto image = ImageReader::open(counting, "full.tti", {});
    ASSERT_TRUE(image) << image.error().message();
    const auto drive = make_image_drive(*image, {.beginnings = true});
    const auto read_costs = [&](std::uint64_t at, std::size_t length) {
      const std::uint64_t before = counting->bytes_read;
      Bytes got(length);
      EXPECT_TRUE(drive->read(at, got));
      EXPECT_TRUE(std::ranges::equal(got, ByteSpan(truth).subspan(static_cast<std::size_t>(at), length))) << "at " << at;
      return counting->bytes_read - before;
    };
    constexpr std::uint64_t kChunk = 5 * kMiB;
    EXPECT_GT(read_costs(kChunk + 100'000, 4096), 0U);
    EXPECT_EQ(read_costs(kChunk, 100'000), 0U) << "what comes before it is there too";
    EXPECT_GT(read_costs(kChunk + 200'000, 4096), 0U) << "no more than the beginning is there";
    EXPECT_EQ(read_costs(kChunk + 500'000, 4096), 0U) << "but now all of it";
    EXPECT_EQ(read_costs(kChunk, 100'000), 0U);
  }
}

// All images of a chain share one key, so the tag of an old frame is sound wherever it is laid.
TEST(ImageDrive, AnOldFrameOfTheChunkInPlaceOfTheNewOneIsFoundOut) {
  ChainLab lab(11);
  lab.password = "secret";
  lab.compression = 0;
  ASSERT_TRUE(lab.backup("full.tti"));
  Bytes anew(kChunkBytes);
  ASSERT_TRUE(lab.random.fill(anew));
  ASSERT_TRUE(lab.drive->write(kSomeChunk, anew));
  ASSERT_TRUE(lab.backup("more.tti", "full.tti"));
  const FramePlace before = frame_of_some_chunk(**lab.open("full.tti")).place, after = frame_of_some_chunk(**lab.open("more.tti")).place;
  ASSERT_EQ(before.bytes, after.bytes);
  ASSERT_EQ(after.link, 0U);
  const Bytes full = lab.place->get("full.tti");
  Bytes more = lab.place->get("more.tti");
  std::copy_n(full.begin() + static_cast<std::ptrdiff_t>(before.offset), before.bytes, more.begin() + static_cast<std::ptrdiff_t>(after.offset));
  lab.place->put("more.tti", more);
  Bytes got(4096);
  for (const bool beginnings : {false, true}) {
    const Result<void> read = make_image_drive(*lab.open("more.tti"), {.beginnings = beginnings})->read(kSomeChunk, got);
    ASSERT_FALSE(read) << "with beginnings: " << beginnings;
    EXPECT_EQ(read.error().code, ErrorCode::corrupt);
  }
}

// What a base says of itself, that it is not encrypted among the rest, nothing proves but the hashes of what is taken from it.
TEST(ImageDrive, WhatComesFromAnEarlierImageIsComparedWithItsHash) {
  ChainLab lab(12);
  ASSERT_TRUE(lab.backup("full.tti"));
  lab.scribble(9 * kMiB, 1000);
  ASSERT_TRUE(lab.backup("more.tti", "full.tti"));
  const auto [place, address] = frame_of_some_chunk(**lab.open("full.tti"));
  // A sound frame of other content that is as long: small content, and what no beginning looks at behind it.
  FrameSealer sealer = *FrameSealer::create(std::nullopt, 1);
  Bytes content(kChunkBytes, std::byte{0x5A}), frame(frame_room(content.size()));
  const ByteSpan forged = *sealer.seal(FrameType::chunk, address, 0, content, frame);
  ASSERT_LT(forged.size(), place.bytes);
  Bytes padded(forged.begin(), forged.end());
  padded.resize(place.bytes);
  FrameHeader header = *FrameHeader::decode(padded);
  header.stored_bytes = static_cast<std::uint32_t>(padded.size() - kFrameHeaderBytes);
  header.payload_checksum = frame_checksum(ByteSpan(padded).subspan(kFrameHeaderBytes));
  header.encode(MutableByteSpan(padded).first(kFrameHeaderBytes));
  Bytes full = lab.place->get("full.tti");
  std::ranges::copy(padded, full.begin() + static_cast<std::ptrdiff_t>(place.offset));
  lab.place->put("full.tti", full);
  Bytes got(4096);
  EXPECT_FALSE(make_image_drive(*lab.open("more.tti"), {.beginnings = true})->read(kSomeChunk, got));
}

// Wherever in the chunk it is, none of it is given out, not even its beginning.
TEST_P(ImageDriveReaders, AreToldWhereDamageLies) {
  ChainLab lab;
  ASSERT_TRUE(lab.backup("full.tti"));
  const FramePlace place = frame_of_some_chunk(**lab.open("full.tti")).place;
  Bytes bytes = lab.place->get("full.tti");
  bytes[static_cast<std::size_t>(place.offset + place.bytes - 10)] ^= std::byte{1};
  lab.place->put("full.tti", bytes);
  const auto drive = make_image_drive(*lab.open("full.tti"), {.beginnings = GetParam()});
  const Bytes truth = lab.content();
  int damaged = 0;
  Bytes got(64 * 1024);
  // Backwards: who reads in order gets whole chunks either way.
  for (std::uint64_t at = drive->size_bytes(); at != 0;) {
    at -= got.size();
    const Result<void> read = drive->read(at, got);
    if (read) continue;
    ++damaged;
    EXPECT_EQ(read.error().code, ErrorCode::corrupt);
    EXPECT_EQ(read.error().offset_bytes, at);
    EXPECT_NE(read.error().message().find("full.tti"), std::string::npos);
  }
  EXPECT_EQ(damaged, 8);  // one chunk of 512 KiB, and it is told each time
}

}  // namespace
}  // namespace tintype::test
