// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "chain_fixture.h"
#include "support/fat_image.h"

namespace tintype::test {

// A chain of images of a drive whose first partition is a FAT file system with clusters of 4 KiB that come, go and move.
class MovedLab : public ChainLab {
 public:
  explicit MovedLab(std::uint64_t seed = 1, std::uint64_t size = 24 * kMiB, FatOptions options = {.bits = 12, .clusters = 1600, .cluster_sectors = 8, .with_data = false})
      : ChainLab(seed, size, 24 * kMiB), fat(options), start(read_layout(*drive)->partitions[0].start_sector * 512) {
    EXPECT_TRUE(drive->zero(start, read_layout(*drive)->partitions[0].sector_count * 512));
    write_table();
  }

  void write_table() { EXPECT_TRUE(drive->write(start, fat.bytes())); }
  std::uint64_t byte_of(std::uint32_t cluster) const { return start + fat.extent_of(cluster).start; }
  std::uint64_t chunk_of(std::uint32_t cluster) const { return fat.extent_of(cluster).start / kChunkBytes; }

  // New data in these clusters.
  void add(std::uint32_t first, std::uint32_t count) {
    use(first, count, true);
    scribble(byte_of(first), std::uint64_t{count} * fat.cluster_bytes());
  }
  void remove(std::uint32_t first, std::uint32_t count) { use(first, count, false); }
  // As a file system does it: the data is written elsewhere, and what was there before stays but counts no more.
  void move(std::uint32_t first, std::uint32_t count, std::uint32_t to) {
    Bytes data(std::size_t{count} * fat.cluster_bytes());
    EXPECT_TRUE(drive->read(byte_of(first), data));
    EXPECT_TRUE(drive->write(byte_of(to), data));
    use(first, count, false);
    use(to, count, true);
  }

  // What the image holds of a chunk of the first partition.
  ChunkEntry entry(const std::string& name, std::uint64_t chunk) {
    const auto image = open(name);
    EXPECT_TRUE(image);
    const std::size_t area = fat_area(**image);
    const auto page = (*image)->page(area, chunk / kChunksPerRegion);
    EXPECT_TRUE(page && *page);
    return (*page)->entries.at(static_cast<std::size_t>(chunk % kChunksPerRegion));
  }
  std::size_t fat_area(ImageReader& image) const {
    const std::vector<Area>& areas = image.catalog().areas;
    return static_cast<std::size_t>(std::ranges::find(areas, start, &Area::start_byte) - areas.begin());
  }
  // Chunks of an image that take data from others.
  std::size_t takers(const std::string& name) {
    const auto image = open(name);
    EXPECT_TRUE(image);
    std::size_t count = 0;
    const std::size_t area = fat_area(**image);
    for (std::uint64_t region = 0; region < region_count((*image)->catalog().areas[area].size_bytes); ++region) {
      const auto page = (*image)->page(area, region);
      EXPECT_TRUE(page);
      if (page && *page)
        for (const ChunkEntry& each : (*page)->entries) count += each.moved.empty() ? 0 : 1;
    }
    return count;
  }

  // Every byte that is in use is as it is on the drive.
  ::testing::AssertionResult gives_now(const std::string& name) {
    const Result<Bytes> got = restored(name);
    if (!got) return ::testing::AssertionFailure() << name << ": " << got.error().message();
    return same_in_use(*got, content());
  }
  ::testing::AssertionResult same_in_use(const Bytes& got, const Bytes& truth) const {
    for (std::size_t at = 0; at < truth.size(); at += 512) {
      if (got[at] == truth[at] && std::equal(got.begin() + static_cast<std::ptrdiff_t>(at), got.begin() + static_cast<std::ptrdiff_t>(at + 512),
                                             truth.begin() + static_cast<std::ptrdiff_t>(at)))
        continue;
      if (at < byte_of(2) || at >= byte_of(fat_end()) || used_[cluster_at(at)])
        return ::testing::AssertionFailure() << "differs at byte " << at;
    }
    return ::testing::AssertionSuccess();
  }

  FatImage fat;
  std::uint64_t start;  // of the partition, in bytes

 private:
  std::uint32_t fat_end() const { return static_cast<std::uint32_t>(used_.size()); }
  std::uint32_t cluster_at(std::uint64_t byte) const { return static_cast<std::uint32_t>(2 + (byte - byte_of(2)) / fat.cluster_bytes()); }
  void use(std::uint32_t first, std::uint32_t count, bool used) {
    if (used_.size() < first + count) used_.resize(first + count);
    for (std::uint32_t cluster = first; cluster < first + count; ++cluster) {
      fat.set_entry(cluster, used ? fat.end_mark() : 0);
      used_[cluster] = used;
    }
    write_table();
  }
  std::vector<bool> used_;
};

}  // namespace tintype::test
