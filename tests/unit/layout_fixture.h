// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "layout/layout.h"

namespace tintype::test {

struct RawEntry {
  std::size_t index = 0;
  std::uint8_t type = 0;
  std::uint32_t start = 0;
  std::uint32_t count = 0;
  std::uint8_t flag = 0;
};

// Puts the magic and entries into the sector of an MBR or EMBR, leaving its other bytes.
inline void put_table(Drive& drive, std::uint64_t sector, const std::vector<RawEntry>& entries) {
  const std::uint32_t sector_bytes = drive.info().logical_sector_bytes;
  Bytes bytes(sector_bytes);
  ASSERT_TRUE(drive.read(sector * sector_bytes, bytes));
  for (const RawEntry& entry : entries) {
    const std::size_t at = 446 + entry.index * 16;
    bytes[at] = std::byte{entry.flag};
    bytes[at + 4] = std::byte{entry.type};
    store_le<std::uint32_t>(bytes, at + 8, entry.start);
    store_le<std::uint32_t>(bytes, at + 12, entry.count);
  }
  store_le<std::uint16_t>(bytes, 510, 0xAA55);
  ASSERT_TRUE(drive.write(sector * sector_bytes, bytes));
}

inline Layout read_ok(Drive& drive) {
  auto layout = read_layout(drive);
  EXPECT_TRUE(layout) << layout.error().message();
  return layout ? *layout : Layout{};
}

// "0x1:2048+100:07* 0x201:…", in table order.
inline std::string summary(const Layout& layout) {
  std::string text;
  for (const Partition& p : layout.partitions) {
    if (!text.empty()) text += ' ';
    text += p.id_text(layout.kind) + ":" + std::to_string(p.start_sector) + "+" + std::to_string(p.sector_count) + ":";
    text += p.type_guid ? guid_to_string(*p.type_guid).substr(0, 8) : to_hex(std::array{std::byte{p.mbr_type}});
    if (p.active) text += '*';
  }
  return text;
}

inline std::string problems(const Layout& layout) {
  std::string text;
  for (const std::string& problem : layout.problems) text += problem + "\n";
  return text;
}

// An extended partition in slot 2 at 10000 with three volumes.
inline std::shared_ptr<Drive> chain_drive() {
  auto drive = make_memory_drive(100000ULL * 512);
  put_table(*drive, 0, {{0, 0x07, 2048, 6000, 0x80}, {1, 0x0F, 10000, 80000}});
  put_table(*drive, 10000, {{0, 0x83, 63, 9000}, {1, 0x05, 20000, 10000}});
  put_table(*drive, 30000, {{0, 0x07, 63, 9000}, {1, 0x05, 40000, 10000}});
  put_table(*drive, 50000, {{0, 0x82, 63, 9000}});
  return drive;
}

}  // namespace tintype::test
