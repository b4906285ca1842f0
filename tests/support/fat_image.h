// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/extent.h"

namespace tintype::test {

struct FatOptions {
  std::uint32_t bits = 16;  // of an entry: 12, 16 or 32
  std::uint32_t clusters = 5000;
  std::uint8_t cluster_sectors = 1;  // of 512 bytes
  bool with_data = true;  // false: bytes() ends where the clusters begin, so that they may be many
  std::uint32_t copies = 2;
  std::uint32_t serial = 0x1234ABCD;
  std::uint16_t ext_flags = 0;  // FAT32: 0x80 and a number if the copies are not mirrored
};

// A FAT volume made by hand, for what mkfs.fat does not make. Sources as in src/fs/fat/. Nothing is checked: the caller
// may ask for nonsense. FAT32's root directory is cluster 2, one cluster long.
class FatImage {
 public:
  static constexpr std::uint32_t kSectorBytes = 512, kRootEntries = 512;

  explicit FatImage(FatOptions options = {});

  // An entry of every copy of the table, or of one.
  void set_entry(std::uint32_t cluster, std::uint32_t value);
  void set_entry(std::uint32_t copy, std::uint32_t cluster, std::uint32_t value);
  // Chains the clusters in every copy.
  void chain(const std::vector<std::uint32_t>& clusters);
  // An entry of the root directory; `name` has 11 bytes.
  void add_root_entry(const std::string& name, std::uint8_t attributes, std::uint32_t cluster, std::uint32_t size_bytes);
  Extent extent_of(std::uint32_t cluster) const { return {data_offset_ + std::uint64_t{cluster - 2} * cluster_bytes(), cluster_bytes()}; }
  std::uint32_t cluster_bytes() const { return options_.cluster_sectors * kSectorBytes; }
  std::uint32_t end_mark() const { return options_.bits == 12 ? 0xFFF : options_.bits == 16 ? 0xFFFF : 0x0FFFFFFF; }
  Bytes& bytes() { return bytes_; }

 private:
  FatOptions options_;
  Bytes bytes_;
  std::uint64_t fat_offset_ = 0, fat_bytes_ = 0, root_offset_ = 0, data_offset_ = 0;
  std::size_t root_used_ = 0;
};

}  // namespace tintype::test
