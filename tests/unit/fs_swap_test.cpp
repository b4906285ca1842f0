// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "fs/filesystem.h"

namespace tintype::test {
namespace {

constexpr std::uint64_t kAreaBytes = 256 * 1024;

std::shared_ptr<Drive> swap_area(std::string_view signature = "SWAPSPACE2") {
  auto drive = make_memory_drive(kAreaBytes);
  Bytes page(4096);
  store_le<std::uint32_t>(page, 1024, 1);
  store_le<std::uint32_t>(page, 1028, kAreaBytes / 4096 - 1);
  EXPECT_TRUE(drive->write(0, page));
  EXPECT_TRUE(drive->write(4086, as_bytes(signature)));
  return drive;
}

std::uint64_t map_bytes(FileSystem& fs) {
  auto stream = fs.used_map();
  return collect(**stream).value().total_bytes();
}

TEST(Swap, OnlyTheHeaderPage) {
  const auto fs = open_file_system(swap_area());
  ASSERT_TRUE(fs);
  EXPECT_EQ((*fs)->info().type, FsType::swap);
  EXPECT_EQ(map_bytes(**fs), 4096U);
}

TEST(Swap, ASuspendedSystemIsSaved) {
  const auto fs = open_file_system(swap_area(std::string_view("S1SUSPEND\0", 10)));
  ASSERT_TRUE(fs);
  EXPECT_EQ((*fs)->info().state, FsState::hibernated);
  EXPECT_EQ(map_bytes(**fs), kAreaBytes);
}

TEST(Swap, AnEncryptedVolumeUnderItIsSaved) {
  for (const std::uint64_t at : {0x4000U, 0x10000U, 0x20000U}) {
    SCOPED_TRACE(at);
    auto drive = swap_area();
    ASSERT_TRUE(drive->write(at, as_bytes("SKUL\xBA\xBE")));
    const auto fs = open_file_system(drive);
    ASSERT_TRUE(fs);
    EXPECT_EQ((*fs)->info().type, FsType::unknown);
    EXPECT_EQ(map_bytes(**fs), kAreaBytes);
  }
}

}  // namespace
}  // namespace tintype::test
