// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/exfat_image.h"

#include <algorithm>
#include <cctype>

namespace tintype::test {
namespace {

constexpr std::uint32_t kEndOfChain = 0xFFFFFFFF, kMidnight1980 = 0x00210000;
constexpr std::uint64_t kFatSector = 128, kFatSectors = 16;
constexpr std::size_t kEntry = 32;

std::uint32_t rotate_add(std::uint32_t sum, std::uint8_t byte) { return (sum << 31 | sum >> 1) + byte; }
std::uint16_t rotate_add16(std::uint16_t sum, std::uint8_t byte) {
  return static_cast<std::uint16_t>((sum << 15 | sum >> 1) + byte);
}

// Compressed: 0xFFFF and a count stand for that many characters that map to themselves.
Bytes upcase_table() {
  Bytes table;
  const auto put = [&table](unsigned value) {
    table.push_back(static_cast<std::byte>(value & 0xFF));
    table.push_back(static_cast<std::byte>(value >> 8));
  };
  for (unsigned c = 0; c < 0x80; ++c) put(c >= 'a' && c <= 'z' ? c - 32 : c);
  put(0xFFFF);
  put(0x10000 - 0x80);
  return table;
}

}  // namespace

ExfatImage::ExfatImage(ExfatOptions options) : options_(std::move(options)) {
  fat_offset_ = kFatSector * kSectorBytes;
  fat_bytes_ = kFatSectors * kSectorBytes;
  heap_offset_ = 256 * kSectorBytes;
  bytes_.resize(heap_offset_ + std::uint64_t{options_.clusters} * kClusterBytes);
  for (std::uint32_t copy = 0; copy < options_.bitmaps; ++copy) {
    store_le<std::uint32_t>(bytes_, fat_offset_ + copy * fat_bytes_, 0xFFFFFFF8);
    store_le<std::uint32_t>(bytes_, fat_offset_ + copy * fat_bytes_ + 4, kEndOfChain);
  }
  write_system_files();
}

void ExfatImage::write_system_files() {
  Bytes label(kEntry), bitmap(kEntry), upcase(kEntry);
  label[0] = std::byte{0x83};
  label[1] = static_cast<std::byte>(options_.label.size());
  for (std::size_t i = 0; i < options_.label.size(); ++i) label[2 + 2 * i] = static_cast<std::byte>(options_.label[i]);
  append_to_root(label);
  for (std::uint32_t i = 0; i < options_.bitmaps; ++i) {
    bitmap[0] = std::byte{0x81};
    bitmap[1] = static_cast<std::byte>(i);
    store_le<std::uint32_t>(bitmap, 20, kBitmapCluster + i);
    store_le<std::uint64_t>(bitmap, 24, div_round_up(options_.clusters, 8));
    append_to_root(bitmap);
    link(kBitmapCluster + i, kEndOfChain);
  }
  const Bytes table = upcase_table();
  std::uint32_t sum = 0;
  for (const std::byte byte : table) sum = rotate_add(sum, static_cast<std::uint8_t>(byte));
  upcase[0] = std::byte{0x82};
  store_le<std::uint32_t>(upcase, 4, sum);
  store_le<std::uint32_t>(upcase, 20, upcase_cluster());
  store_le<std::uint64_t>(upcase, 24, table.size());
  append_to_root(upcase);
  std::copy(table.begin(), table.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(extent_of(upcase_cluster()).start));
  link(upcase_cluster(), kEndOfChain);
  link(root_cluster(), kEndOfChain);
  for (std::uint32_t map = 0; map < options_.bitmaps; ++map) {
    for (std::uint32_t i = 0; i < options_.bitmaps; ++i) set_bit(kBitmapCluster + i, true, map);
    set_bit(upcase_cluster(), true, map);
    set_bit(root_cluster(), true, map);
  }
}

Extent ExfatImage::extent_of(std::uint32_t cluster) const {
  return {heap_offset_ + std::uint64_t{cluster - 2} * kClusterBytes, kClusterBytes};
}

void ExfatImage::append_to_root(ByteSpan entries) {
  std::copy(entries.begin(), entries.end(),
            bytes_.begin() + static_cast<std::ptrdiff_t>(extent_of(root_cluster()).start + root_used_));
  root_used_ += entries.size();
}

void ExfatImage::set_bit(std::uint32_t cluster, bool used, std::uint32_t bitmap) {
  std::byte& byte = bytes_[extent_of(kBitmapCluster + bitmap).start + (cluster - 2) / 8];
  const std::byte bit = static_cast<std::byte>(1U << (cluster - 2) % 8);
  byte = used ? byte | bit : byte & ~bit;
}

void ExfatImage::link(std::uint32_t cluster, std::uint32_t next) {
  for (std::uint32_t copy = 0; copy < options_.bitmaps; ++copy)
    store_le<std::uint32_t>(bytes_, fat_offset_ + copy * fat_bytes_ + std::uint64_t{cluster} * 4, next);
}

void ExfatImage::add_file(const std::string& name, std::uint64_t size_bytes, const std::vector<std::uint32_t>& clusters,
                          char fill) {
  bool contiguous = true;
  std::uint64_t left = size_bytes;
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    if (i != 0) contiguous &= clusters[i] == clusters[i - 1] + 1;
    for (std::uint32_t map = 0; map < options_.bitmaps; ++map) set_bit(clusters[i], true, map);
    const std::uint64_t n = std::min<std::uint64_t>(left, kClusterBytes);
    std::fill_n(bytes_.begin() + static_cast<std::ptrdiff_t>(extent_of(clusters[i]).start), n, static_cast<std::byte>(fill));
    left -= n;
  }
  for (std::size_t i = 0; i < clusters.size() && !contiguous; ++i)
    link(clusters[i], i + 1 < clusters.size() ? clusters[i + 1] : kEndOfChain);

  const std::size_t names = div_round_up(name.size(), 15);
  Bytes set((2 + names) * kEntry);
  set[0] = std::byte{0x85};
  set[1] = static_cast<std::byte>(1 + names);
  store_le<std::uint16_t>(set, 4, 0x20);  // archive
  for (const std::size_t stamp : {8U, 12U, 16U}) store_le<std::uint32_t>(set, stamp, kMidnight1980);
  set[kEntry] = std::byte{0xC0};
  set[kEntry + 1] = contiguous && !clusters.empty() ? std::byte{3} : std::byte{1};
  set[kEntry + 3] = static_cast<std::byte>(name.size());
  std::uint16_t hash = 0;
  for (const char c : name) hash = rotate_add16(rotate_add16(hash, static_cast<std::uint8_t>(std::toupper(c))), 0);
  store_le<std::uint16_t>(set, kEntry + 4, hash);
  store_le<std::uint64_t>(set, kEntry + 8, size_bytes);
  store_le<std::uint32_t>(set, kEntry + 20, clusters.empty() ? 0 : clusters.front());
  store_le<std::uint64_t>(set, kEntry + 24, size_bytes);
  for (std::size_t i = 0; i < names; ++i) set[(2 + i) * kEntry] = std::byte{0xC1};
  for (std::size_t i = 0; i < name.size(); ++i)
    set[(2 + i / 15) * kEntry + 2 + i % 15 * 2] = static_cast<std::byte>(name[i]);
  std::uint16_t sum = 0;
  for (std::size_t i = 0; i < set.size(); ++i)
    if (i != 2 && i != 3) sum = rotate_add16(sum, static_cast<std::uint8_t>(set[i]));
  store_le<std::uint16_t>(set, 2, sum);
  append_to_root(set);
}

Bytes& ExfatImage::finish() {
  MutableByteSpan region = MutableByteSpan(bytes_).first(12 * kSectorBytes);
  std::fill(region.begin(), region.end(), std::byte{0});
  const std::string_view head = "\xEB\x76\x90" "EXFAT   ";
  std::copy_n(as_bytes(head).begin(), head.size(), region.begin());
  store_le<std::uint64_t>(region, 72, bytes_.size() / kSectorBytes);
  store_le<std::uint32_t>(region, 80, kFatSector);
  store_le<std::uint32_t>(region, 84, kFatSectors);
  store_le<std::uint32_t>(region, 88, static_cast<std::uint32_t>(heap_offset_ / kSectorBytes));
  store_le<std::uint32_t>(region, 92, options_.clusters);
  store_le<std::uint32_t>(region, 96, root_cluster());
  store_le<std::uint32_t>(region, 100, options_.serial);
  store_le<std::uint16_t>(region, 104, 0x0100);
  store_le<std::uint16_t>(region, 106, options_.volume_flags);
  region[108] = std::byte{9};
  region[109] = std::byte{3};
  region[110] = static_cast<std::byte>(options_.bitmaps);
  region[111] = std::byte{0x80};
  region[112] = std::byte{0xFF};
  store_le<std::uint16_t>(region, 510, 0xAA55);
  for (std::size_t sector = 1; sector <= 8; ++sector) store_le<std::uint32_t>(region, sector * kSectorBytes + 508, 0xAA550000);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < std::size_t{11} * kSectorBytes; ++i)
    if (i != 106 && i != 107 && i != 112) sum = rotate_add(sum, u8(region, i));
  for (std::size_t i = 0; i < kSectorBytes; i += 4) store_le<std::uint32_t>(region, std::size_t{11} * kSectorBytes + i, sum);
  std::copy(region.begin(), region.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(12 * kSectorBytes));
  return bytes_;
}

}  // namespace tintype::test
