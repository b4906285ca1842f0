// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "base/environment.h"
#include "drive/composite_drive.h"
#include "drive/foreign/partclone_drive.h"
#include "support/partclone_image.h"

namespace tintype {
namespace {

using test::PartcloneMaker;

Bytes noise(std::size_t length, std::uint64_t seed) {
  Bytes bytes(length);
  SeededRandom random(seed);
  EXPECT_TRUE(random.fill(bytes));
  return bytes;
}

std::vector<bool> some_blocks(std::size_t count, std::uint64_t seed) {
  std::vector<bool> used(count);
  const Bytes random = noise(count, seed);
  // Runs of a few blocks, and at the end a long one of each kind.
  for (std::size_t i = 0; i < count; ++i) used[i] = i < count / 2 ? (static_cast<unsigned>(random[i / 5]) & 1U) != 0 : i < count * 3 / 4;
  return used;
}

Result<std::shared_ptr<Drive>> open(const Bytes& image) { return open_partclone(plain_source(drive_of(image)), "test.img"); }
PartcloneCheck checked(const Bytes& image) {
  const auto source = plain_source(drive_of(image));
  const auto check = check_partclone(*source, "test.img");
  EXPECT_TRUE(check) << (check ? "" : check.error().message());
  return check.value_or(PartcloneCheck{});
}

std::vector<PartcloneMaker> makers() {
  std::vector<PartcloneMaker> all;
  for (const std::size_t blocks : {1U, 8U, 1003U}) {
    PartcloneMaker maker{.block_bytes = 512, .used = some_blocks(blocks, blocks)};
    if (blocks == 1) maker.used = {true};
    maker.device_bytes = blocks * 512 + 1536;
    all.push_back(maker);
    for (const std::uint32_t strip : {1U, 7U, 256U, 100'000U})
      for (const bool reseed : {true, false}) {
        maker.checksum_mode = 0x20;
        maker.blocks_per_checksum = strip;
        maker.reseed = reseed;
        all.push_back(maker);
      }
    for (const std::size_t wide : {4U, 8U}) all.push_back({.version = 1, .block_bytes = 512, .device_bytes = maker.device_bytes, .used = maker.used, .v1_checksum_bytes = wide});
  }
  return all;
}

TEST(PartcloneDrive, ReadsEverySettingAtEveryPosition) {
  for (const PartcloneMaker& maker : makers()) {
    SCOPED_TRACE(testing::Message() << "v" << maker.version << " blocks " << maker.used.size() << " per checksum " << maker.blocks_per_checksum
                                    << " reseed " << maker.reseed << " wide " << maker.v1_checksum_bytes);
    const Bytes content = noise(maker.used.size() * maker.block_bytes, 7);
    const Bytes expected = maker.expected(content), image = maker.make(content);
    auto drive = open(image);
    ASSERT_TRUE(drive) << drive.error().message();
    ASSERT_EQ((*drive)->size_bytes(), expected.size());
    Bytes all(expected.size(), std::byte{0xEE});
    ASSERT_TRUE((*drive)->read(0, all));
    EXPECT_TRUE(all == expected);
    for (std::size_t at = expected.size(); at > 0; at -= std::min<std::size_t>(at, 777)) {
      Bytes few(std::min<std::size_t>(1300, expected.size() - at));
      ASSERT_TRUE((*drive)->read(at, few));
      ASSERT_TRUE(std::equal(few.begin(), few.end(), expected.begin() + static_cast<std::ptrdiff_t>(at))) << at;
    }
    const PartcloneCheck check = checked(image);
    EXPECT_EQ(check.bad_strips, 0U);
    EXPECT_EQ(check.strips == 0, maker.version == 2 && maker.checksum_mode == 0);
  }
}

TEST(PartcloneDrive, StatusIsTheUsedMap) {
  // More than two pages of the index, the middle one all used.
  PartcloneMaker maker{.block_bytes = 1, .used = std::vector<bool>(200'000)};
  for (std::size_t i = 0; i < maker.used.size(); ++i) maker.used[i] = (i >= 60'000 && i < 140'000) || i % 1000 == 3 || i == 199'999;
  const Bytes content = noise(maker.used.size(), 8);
  auto drive = open(maker.make(content));
  ASSERT_TRUE(drive) << drive.error().message();
  for (std::uint64_t at = 0; at < maker.used.size();) {
    const auto status = (*drive)->status(at, maker.used.size() - at);
    ASSERT_TRUE(status);
    ASSERT_GT(status->extent.length, 0U);
    for (; status->extent.end() > at; ++at) ASSERT_EQ(status->state == BlockState::data, maker.used[at]) << at;
  }
  Bytes all(maker.used.size());
  ASSERT_TRUE((*drive)->read(0, all));
  EXPECT_TRUE(all == maker.expected(content));
}

TEST(PartcloneDrive, ADamagedBlockFailsAloneAndSaysWhere) {
  for (const bool reseed : {true, false}) {
    PartcloneMaker maker{.used = std::vector<bool>(64, true), .blocks_per_checksum = 4, .checksum_mode = 0x20, .reseed = reseed};
    const Bytes content = noise(64 * 4096, 9);
    Bytes image = maker.make(content);
    const std::size_t data = image.size() - 64 * 4096 - 16 * 4;
    image[data + 21 * 4096 + 5 * 4 + 100] ^= std::byte{1};  // strip 5 holds blocks 20-23
    auto drive = open(image);
    ASSERT_TRUE(drive);
    Bytes block(4096);
    for (std::size_t i = 0; i < 64; ++i) {
      const auto result = (*drive)->read(i * 4096, block);
      EXPECT_EQ(static_cast<bool>(result), i < 20 || i > 23) << i;
      if (!result) {
        EXPECT_EQ(result.error().code, ErrorCode::corrupt);
        EXPECT_EQ(result.error().offset_bytes, i * 4096);
      }
    }
    const PartcloneCheck check = checked(image);
    EXPECT_EQ(check.bad_strips, reseed ? 1U : 11U);  // cumulative ones never recover
    EXPECT_EQ(check.first_bad_block, 20U);
  }
}

TEST(PartcloneDrive, DamageInHeadMapOrLengthIsFoundWhenOpening) {
  const PartcloneMaker maker{.used = some_blocks(500, 3), .blocks_per_checksum = 16, .checksum_mode = 0x20};
  const Bytes image = maker.make(noise(500 * 4096, 1));
  for (std::size_t at = 0; at < 110 + 63 + 4; ++at) {
    Bytes damaged = image;
    damaged[at] ^= std::byte{0x10};
    EXPECT_FALSE(open(damaged)) << at;
  }
  for (const std::size_t length : {std::size_t{0}, std::size_t{15}, std::size_t{109}, std::size_t{150}, image.size() - 4096, image.size() - 1}) {
    Bytes cut(image.begin(), image.begin() + static_cast<std::ptrdiff_t>(length));
    const auto drive = open(cut);
    ASSERT_FALSE(drive) << length;
    EXPECT_EQ(drive.error().code, ErrorCode::corrupt);
  }
  EXPECT_TRUE(open(image));
}

TEST(PartcloneDrive, CanOnlyBeReadAndKeepsToItsBounds) {
  const PartcloneMaker maker{.used = {true, false, true}};
  auto drive = open(maker.make(noise(3 * 4096, 1)));
  ASSERT_TRUE(drive);
  Bytes out(10);
  EXPECT_TRUE((*drive)->info().read_only);
  EXPECT_EQ((*drive)->write(0, out).error().code, ErrorCode::denied);
  EXPECT_EQ((*drive)->read(3 * 4096 - 9, out).error().code, ErrorCode::out_of_bounds);
}

}  // namespace
}  // namespace tintype
