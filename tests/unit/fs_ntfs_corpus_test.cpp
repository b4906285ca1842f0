// SPDX-License-Identifier: GPL-3.0-or-later
// Volumes by Windows, mkntfs and the Linux drivers against what ntfsinfo, partclone and blkid found on them.
#include <gtest/gtest.h>

#include <iostream>

#include "base/text.h"
#include "fs/filesystem.h"
#include "fs/ntfs/boot_sector.h"
#include "fs/ntfs/cluster_bitmap.h"
#include "support/corpus.h"

namespace tintype::test {
namespace {

struct Volume {
  std::string name;
  std::shared_ptr<Drive> drive;
  std::string prefix;  // of its facts
  std::uint64_t start_bytes = 0;
};

std::vector<Volume> volumes_of(const CorpusEntry& entry) {
  std::vector<Volume> out;
  auto drive = load_corpus(entry);
  EXPECT_TRUE(drive) << entry.path;
  if (!drive) return out;
  if (entry.fact("fs.ntfs_sector")) out.push_back({entry.path, *drive, "fs.", 0});
  for (int i = 1; i <= 8; ++i) {
    const std::string p = "p" + std::to_string(i) + ".";
    const auto start = entry.number(p + "start");
    const auto count = entry.number(p + "n");
    if (!start || !count || !entry.fact(p + "fs.ntfs_sector")) continue;
    out.push_back({entry.path + "@" + std::to_string(i),
                   make_slice(*drive, {*start * 512, *count * 512}, "partition"), p + "fs.", *start * 512});
  }
  return out;
}

void check_volume(const CorpusEntry& entry, const Volume& volume) {
  SCOPED_TRACE(volume.name);
  const auto fs = open_file_system(volume.drive);
  ASSERT_TRUE(fs);
  const FsInfo& info = (*fs)->info();
  EXPECT_EQ(info.type, FsType::ntfs);
  const std::uint64_t cluster = entry.number(volume.prefix + "cluster").value();
  EXPECT_EQ(info.cluster_bytes, cluster);
  EXPECT_EQ(info.serial, entry.fact(volume.prefix + "serial").value_or(""));
  EXPECT_TRUE(info.used_map_known) << info.warning;
  EXPECT_EQ(info.used_bytes, entry.number(volume.prefix + "used_clusters_bitmap").value() * cluster);
  EXPECT_EQ(info.free_bytes, entry.number(volume.prefix + "ntfsinfo_free").value() * cluster);
  const std::string parent = volume.prefix.substr(0, volume.prefix.size() - 3);
  auto label = entry.fact(parent + "label");
  if (!label && parent.empty()) label = entry.fact("blkid.LABEL");
  EXPECT_EQ(info.label, unescape_blkid(label.value_or("")));
  EXPECT_EQ(info.last_used_byte, volume.drive->size_bytes());

  auto stream = (*fs)->used_map();
  ASSERT_TRUE(stream);
  const auto map = collect(**stream);
  ASSERT_TRUE(map) << map.error().message();
  EXPECT_EQ(map->end(), info.last_used_byte);
  const std::uint64_t clusters_end = entry.number(volume.prefix + "total_clusters").value() * cluster;
  const std::uint64_t mapped = map->clipped({0, clusters_end}).total_bytes();
  if (info.state == FsState::clean) {
    EXPECT_EQ(mapped, info.used_bytes);
  } else {
    EXPECT_GE(mapped, info.used_bytes);
  }
  EXPECT_TRUE(map->contains(clusters_end));

  // On a clean volume the runs of all records are in the bitmap already: with them nothing is added.
  Bytes sector(512);
  ASSERT_TRUE(volume.drive->read(0, sector));
  auto mft = ntfs::Mft::open(*volume.drive, ntfs::parse_boot_sector(sector).value());
  ASSERT_TRUE(mft) << mft.error().message();
  auto bitmap = ntfs::ClusterBitmap::open(*mft);
  ASSERT_TRUE(bitmap);
  const auto shared = std::make_shared<ntfs::Volume>(ntfs::Volume{volume.drive, *mft, *bitmap});
  const auto both = collect(*ntfs::stream_used_clusters(shared, true));
  ASSERT_TRUE(both) << both.error().message();
  if (info.state == FsState::clean) {
    EXPECT_EQ(both->total_bytes(), info.used_bytes);
  }
  std::cout << volume.name << " " << to_string(info.state) << " " << info.warning << " mapped " << mapped << " of "
            << info.used_bytes << "\n";
}

TEST(NtfsCorpus, CountsOfOutsideToolsAgree) {
  if (!corpus_folder()) GTEST_SKIP() << "no corpus";
  std::size_t seen = 0;
  for (const CorpusEntry& entry : corpus_entries()) {
    const bool plain = entry.type.starts_with("raw:") || entry.type.starts_with("packed:") || entry.type.starts_with("vhd-fixed:");
    if (!plain || entry.type.find("ntfs") == std::string::npos) continue;
    for (const Volume& volume : volumes_of(entry)) {
      check_volume(entry, volume);
      ++seen;
    }
  }
  EXPECT_GT(seen, 10U);
}

TEST(NtfsCorpus, BootSectors) {
  if (!corpus_folder()) GTEST_SKIP() << "no corpus";
  for (const CorpusEntry& entry : corpus_entries("ntfs-bootsector")) {
    SCOPED_TRACE(entry.path);
    const auto drive = load_corpus(entry);
    ASSERT_TRUE(drive);
    Bytes sector(512);
    ASSERT_TRUE((*drive)->read(0, sector));
    const auto boot = ntfs::parse_boot_sector(sector);
    ASSERT_TRUE(boot);
    EXPECT_EQ(boot->sector_bytes, entry.number("ntfs_boot.ntfs_sector"));
    EXPECT_EQ(boot->cluster_bytes, entry.number("ntfs_boot.cluster"));
    EXPECT_EQ(boot->total_sectors, entry.number("ntfs_boot.total_sectors"));
    EXPECT_EQ(boot->mft_cluster, entry.number("ntfs_boot.mft_lcn"));
    EXPECT_EQ(boot->mirror_cluster, entry.number("ntfs_boot.mftmirr_lcn"));
    EXPECT_EQ(boot->record_bytes, entry.number("ntfs_boot.record"));
    EXPECT_EQ(boot->serial_text(), entry.fact("ntfs_boot.serial").value_or(""));
    // The volume behind the sector is missing: everything is saved, and that is said.
    const auto fs = open_file_system(*drive);
    ASSERT_TRUE(fs);
    EXPECT_EQ((*fs)->info().type, FsType::ntfs);
    EXPECT_FALSE((*fs)->info().used_map_known);
    EXPECT_NE((*fs)->info().warning, "");
  }
}

}  // namespace
}  // namespace tintype::test
