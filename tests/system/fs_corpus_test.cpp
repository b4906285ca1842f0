// SPDX-License-Identifier: GPL-3.0-or-later
// FAT, exFAT and swap on real images made by others; the manifest says what independent tools found in them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <regex>

#include "fs/filesystem.h"
#include "support/corpus.h"

namespace tintype::test {
namespace {

struct Seen {
  FsInfo info;
  std::uint64_t map_bytes = 0, map_end = 0;
};

std::optional<Seen> look_at(const CorpusEntry& entry, std::string& mismatches) {
  const auto drive = load_corpus(entry);
  if (!drive) {
    mismatches += entry.path + ": " + drive.error().message() + "\n";
    return std::nullopt;
  }
  const auto fs = open_file_system(*drive);
  if (!fs) {
    mismatches += entry.path + ": " + fs.error().message() + "\n";
    return std::nullopt;
  }
  Seen seen{(*fs)->info()};
  auto map = (*fs)->used_map();
  const auto set = map ? collect(**map) : Result<ExtentSet>(fail(map.error()));
  if (!set) {
    mismatches += entry.path + ": used map: " + set.error().message() + "\n";
    return std::nullopt;
  }
  seen.map_bytes = set->total_bytes();
  seen.map_end = set->end();
  if (seen.map_end > entry.unpacked_bytes) mismatches += entry.path + ": the used map leaves the partition\n";
  if (seen.map_end != seen.info.last_used_byte)
    mismatches += fmt::format("{}: last used byte {} but the map ends at {}\n", entry.path, seen.info.last_used_byte, seen.map_end);
  return seen;
}

template <class T>
void compare(const CorpusEntry& entry, const char* what, const T& ours, const T& theirs, std::string& mismatches) {
  if (ours != theirs) mismatches += fmt::format("{}: {}: {} but the manifest says {}\n", entry.path, what, ours, theirs);
}

bool damaged_on_purpose(const CorpusEntry& entry) {
  return entry.number("fs.fsck_fat_rc").value_or(0) != 0 || entry.number("fs.fsck_exfat_rc").value_or(0) != 0;
}

// Label, serial, allocation unit and counts. Damaged images may count more than a checker that drops lost chains, never less.
std::optional<Seen> check(const CorpusEntry& entry, std::uint64_t total, std::uint64_t used, std::string& mismatches) {
  const auto seen = look_at(entry, mismatches);
  if (!seen) return seen;
  const FsInfo& info = seen->info;
  if (const auto uuid = entry.fact("blkid.UUID")) compare(entry, "serial", info.serial, *uuid, mismatches);
  if (entry.fact("blkid.TYPE"))
    compare(entry, "label", info.label, unescape_blkid(entry.fact("blkid.LABEL").value_or("")), mismatches);
  if (const auto cluster = entry.number("fs.cluster")) compare(entry, "cluster", info.cluster_bytes, *cluster, mismatches);
  if (total != 0 && info.used_map_known) {
    compare(entry, "total", (info.used_bytes + info.free_bytes) / info.cluster_bytes, total, mismatches);
    const std::uint64_t ours = info.used_bytes / info.cluster_bytes;
    // dump.exfat also counts the bits of the last byte that stand for no cluster.
    const std::uint64_t padding = info.type == FsType::exfat ? (8 - total % 8) % 8 : 0;
    if (ours + padding < used || (!damaged_on_purpose(entry) && ours > used)) compare(entry, "used", ours, used, mismatches);
  }
  // partclone also counts the rest behind the last whole cluster, for exFAT two clusters too many, and for FAT12 clusters
  // that are free (fsck agrees with us).
  const std::uint64_t clone_bytes = std::min(
      entry.number("fs.pc_used").value_or(0) * entry.number("fs.pc_block").value_or(0), entry.unpacked_bytes);
  if (clone_bytes != 0 && info.type != FsType::fat12 && seen->map_bytes + 2 * info.cluster_bytes < clone_bytes)
    compare(entry, "map smaller than partclone's", seen->map_bytes, clone_bytes, mismatches);
  if (clone_bytes != 0 && info.used_map_known && !damaged_on_purpose(entry) && seen->map_bytes > clone_bytes + (1U << 20))
    compare(entry, "map larger than partclone's", seen->map_bytes, clone_bytes, mismatches);
  // The bitmap of a dirty exFAT volume is not trusted.
  const bool dirty_exfat = info.type == FsType::exfat && info.state == FsState::dirty;
  if (!damaged_on_purpose(entry) && entry.fact("blkid.TYPE") && !info.used_map_known && !dirty_exfat)
    mismatches += entry.path + ": all is saved: " + info.warning + "\n";
  return seen;
}

TEST(CorpusFs, FatAsTheManifestSays) {
  const auto entries = corpus_entries("raw:fat");
  if (entries.empty()) GTEST_SKIP() << "no corpus folder (set TINTYPE_CORPUS)";
  std::string mismatches;
  for (const CorpusEntry& entry : entries) {
    std::uint64_t used = 0, total = 0;
    std::smatch counts;
    const std::string summary = entry.fact("fs.summary").value_or("");
    if (std::regex_search(summary, counts, std::regex("(\\d+)/(\\d+) clusters"))) {
      used = std::stoull(counts[1]);
      total = std::stoull(counts[2]);
    }
    const auto seen = check(entry, total, used, mismatches);
    if (seen) compare(entry, "type", "raw:" + std::string(to_string(seen->info.type)), entry.type, mismatches);
    if (seen && entry.fact("fs.dirty"))
      compare(entry, "state", std::string(to_string(seen->info.state)), std::string("dirty"), mismatches);
  }
  EXPECT_EQ(mismatches, "");
}

TEST(CorpusFs, ExfatAsTheManifestSays) {
  const auto entries = corpus_entries("raw:exfat");
  if (entries.empty()) GTEST_SKIP() << "no corpus folder (set TINTYPE_CORPUS)";
  std::string mismatches;
  for (const CorpusEntry& entry : entries) {
    const std::uint64_t total = entry.number("fs.clusters_total").value_or(0);
    const std::uint64_t free = entry.number("fs.clusters_free").value_or(0);
    // dump.exfat can count below zero.
    const auto seen = check(entry, free <= total ? total : 0, total - free, mismatches);
    if (seen) compare(entry, "type", "raw:" + std::string(to_string(seen->info.type)), entry.type, mismatches);
    if (seen && (entry.number("fs.vol_flags").value_or(0) & 2) != 0)
      compare(entry, "state", std::string(to_string(seen->info.state)), std::string("dirty"), mismatches);
  }
  EXPECT_EQ(mismatches, "");
}

TEST(CorpusFs, SwapAsTheManifestSays) {
  const auto entries = corpus_entries("raw:swap");
  if (entries.empty()) GTEST_SKIP() << "no corpus folder (set TINTYPE_CORPUS)";
  std::string mismatches;
  for (const CorpusEntry& entry : entries) {
    const auto seen = check(entry, 0, 0, mismatches);
    if (seen) compare(entry, "type", "raw:" + std::string(to_string(seen->info.type)), entry.type, mismatches);
  }
  EXPECT_EQ(mismatches, "");
}

// Nothing else may be taken for one of the three: a map by the wrong file system would lose data.
TEST(CorpusFs, NothingElseIsTakenForFatExfatOrSwap) {
  const auto entries = corpus_entries();
  if (entries.empty()) GTEST_SKIP() << "no corpus folder (set TINTYPE_CORPUS)";
  std::string mismatches;
  for (const CorpusEntry& entry : entries) {
    const bool ours = entry.type.starts_with("raw:fat") || entry.type.starts_with("raw:exfat") || entry.type == "raw:swap" ||
                      entry.type == "exfat-bootsector";
    const bool unsigned_fat = entry.type.starts_with("raw:msdos") || entry.type.starts_with("raw:vfat");
    const bool boot_sector_only = entry.unpacked_bytes <= 512;
    if (ours || boot_sector_only) continue;
    const auto seen = look_at(entry, mismatches);
    if (!seen) continue;
    const FsType type = seen->info.type;
    const bool claimed = type == FsType::fat12 || type == FsType::fat16 || type == FsType::fat32 ||
                         type == FsType::exfat || type == FsType::swap;
    if (claimed && !unsigned_fat) mismatches += fmt::format("{} ({}): taken for {}\n", entry.path, entry.type, to_string(type));
    if (unsigned_fat && seen->info.used_map_known) mismatches += entry.path + ": its map is trusted\n";
  }
  EXPECT_EQ(mismatches, "");
}

}  // namespace
}  // namespace tintype::test
