// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/fat_image.h"

#include <algorithm>

namespace tintype::test {

FatImage::FatImage(FatOptions options) : options_(options) {
  const bool fat32 = options_.bits == 32;
  const std::uint64_t reserved = fat32 ? 32 : 1;
  fat_offset_ = reserved * kSectorBytes;
  fat_bytes_ = round_up(div_round_up((std::uint64_t{options_.clusters} + 2) * options_.bits, 8), kSectorBytes);
  root_offset_ = fat_offset_ + options_.copies * fat_bytes_;
  data_offset_ = root_offset_ + (fat32 ? 0 : kRootEntries * 32);
  const std::uint64_t all = data_offset_ + std::uint64_t{options_.clusters} * cluster_bytes();
  bytes_.resize(static_cast<std::size_t>(options_.with_data ? all : data_offset_));

  const std::string_view head = "\xEB\x3C\x90" "BUILDER ";
  std::copy_n(as_bytes(head).begin(), head.size(), bytes_.begin());
  store_le<std::uint16_t>(bytes_, 11, kSectorBytes);
  bytes_[13] = std::byte{options_.cluster_sectors};
  store_le<std::uint16_t>(bytes_, 14, static_cast<std::uint16_t>(reserved));
  bytes_[16] = static_cast<std::byte>(options_.copies);
  bytes_[21] = std::byte{0xF8};
  store_le<std::uint32_t>(bytes_, 32, static_cast<std::uint32_t>(all / kSectorBytes));
  const std::uint32_t fat_sectors = static_cast<std::uint32_t>(fat_bytes_ / kSectorBytes);
  if (fat32) {
    store_le<std::uint32_t>(bytes_, 36, fat_sectors);
    store_le<std::uint16_t>(bytes_, 40, options_.ext_flags);
    store_le<std::uint32_t>(bytes_, 44, 2);
  } else {
    store_le<std::uint16_t>(bytes_, 17, kRootEntries);
    store_le<std::uint16_t>(bytes_, 22, static_cast<std::uint16_t>(fat_sectors));
  }
  const std::size_t tail = fat32 ? 64 : 36;
  bytes_[tail + 2] = std::byte{0x29};
  store_le<std::uint32_t>(bytes_, tail + 3, options_.serial);
  store_le<std::uint16_t>(bytes_, 510, 0xAA55);
  set_entry(0, end_mark() - 7);  // the media byte below ones
  set_entry(1, end_mark());
  if (fat32) {
    root_offset_ = extent_of(2).start;
    set_entry(2, end_mark());
  }
}

void FatImage::set_entry(std::uint32_t cluster, std::uint32_t value) {
  for (std::uint32_t copy = 0; copy < options_.copies; ++copy) set_entry(copy, cluster, value);
}

void FatImage::set_entry(std::uint32_t copy, std::uint32_t cluster, std::uint32_t value) {
  const std::uint64_t table = fat_offset_ + copy * fat_bytes_;
  if (options_.bits == 32) return store_le<std::uint32_t>(bytes_, table + std::uint64_t{cluster} * 4, value);
  if (options_.bits == 16) return store_le<std::uint16_t>(bytes_, table + std::uint64_t{cluster} * 2, static_cast<std::uint16_t>(value));
  const std::uint64_t at = table + cluster + cluster / 2;
  const std::uint32_t pair = le16(bytes_, at);
  const std::uint32_t both = cluster % 2 == 0 ? (pair & 0xF000) | value : (pair & 0x000F) | value << 4;
  store_le<std::uint16_t>(bytes_, at, static_cast<std::uint16_t>(both));
}

void FatImage::chain(const std::vector<std::uint32_t>& clusters) {
  for (std::size_t i = 0; i < clusters.size(); ++i)
    set_entry(clusters[i], i + 1 < clusters.size() ? clusters[i + 1] : end_mark());
}

void FatImage::add_root_entry(const std::string& name, std::uint8_t attributes, std::uint32_t cluster, std::uint32_t size_bytes) {
  const std::uint64_t at = root_offset_ + root_used_;
  root_used_ += 32;
  std::copy_n(as_bytes(name).begin(), std::min<std::size_t>(name.size(), 11), bytes_.begin() + static_cast<std::ptrdiff_t>(at));
  bytes_[at + 11] = static_cast<std::byte>(attributes);
  store_le<std::uint16_t>(bytes_, at + 20, static_cast<std::uint16_t>(cluster >> 16));
  store_le<std::uint16_t>(bytes_, at + 26, static_cast<std::uint16_t>(cluster & 0xFFFF));
  store_le<std::uint32_t>(bytes_, at + 28, size_bytes);
}

}  // namespace tintype::test
