// SPDX-License-Identifier: GPL-3.0-or-later
// FAT12, FAT16 and FAT32. The table is the map: there is no journal and no second record of what is allocated, so a
// dirty volume's table is still all there is to know; where its copies differ, what either calls used is saved.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "fs/fat/boot_sector.h"
#include "fs/fat/root_directory.h"
#include "fs/fat/table.h"
#include "fs/probe.h"

namespace tintype {
namespace fat {
namespace {

ClusterArea area_of(const Geometry& g, const Drive& partition) {
  return {.data_offset_bytes = g.data_offset,
          .cluster_bytes = g.cluster_bytes,
          .cluster_count = g.cluster_count,
          .file_system_bytes = g.total_bytes,
          .partition_bytes = partition.size_bytes()};
}

// Bits of entry 1 that are set on a volume that was shut down cleanly and has seen no hard error.
bool reserved_entry_says_dirty(FsType type, std::uint32_t entry) {
  if (type == FsType::fat16) return (entry & 0xC000) != 0xC000;
  if (type == FsType::fat32) return (entry & 0x0C000000) != 0x0C000000;
  return false;
}

class FatFileSystem final : public FileSystem {
 public:
  // A discovery volume is BitLocker To Go's: the encrypted volume lies behind and between its few files.
  FatFileSystem(std::shared_ptr<Drive> partition, const Geometry& geometry, bool discovery_volume)
      : partition_(std::move(partition)), g_(geometry), table_(partition_, g_) {
    info_.type = g_.type;
    info_.serial = g_.serial;
    info_.cluster_bytes = g_.cluster_bytes;
    info_.file_system_bytes = std::min(g_.total_bytes, partition_->size_bytes());
    info_.used_bytes = info_.last_used_byte = partition_->size_bytes();
    if (discovery_volume)
      save_everything(info_, *partition_, "the volume belongs to BitLocker To Go");
    else
      examine();
  }

  Result<std::unique_ptr<ExtentStream>> used_map() override {
    if (!info_.used_map_known) return stream_of(ExtentSet({{0, partition_->size_bytes()}}));
    return used_map_of(allocated_runs(partition_, g_), area_of(g_, *partition_));
  }

  Result<std::vector<LeftOutFile>> left_out_files() override;

 private:
  void examine();
  void examine_table();
  bool holds_hibernated_system() const;
  bool shared_with_root_entry(const ExtentSet& extents) const;

  std::shared_ptr<Drive> partition_;
  Geometry g_;
  Table table_;
  RootDirectory root_;
};

void FatFileSystem::examine() {
  if (g_.total_bytes > partition_->size_bytes())
    save_everything(info_, *partition_, fmt::format("the file system has {} bytes but its partition only {}", g_.total_bytes,
                                                    partition_->size_bytes()));
  else if (g_.table_bytes() > g_.fat_bytes)
    save_everything(info_, *partition_, fmt::format("the file allocation table is too short for {} clusters", g_.cluster_count));
  else
    examine_table();
}

void FatFileSystem::examine_table() {
  const Result<Census> census = take_census(table_, g_);
  if (!census) return save_everything(info_, *partition_, "the file allocation table cannot be read: " + census.error().message());
  info_.used_bytes = census->used_clusters * g_.cluster_bytes;
  info_.free_bytes = (g_.cluster_count - census->used_clusters) * g_.cluster_bytes;
  info_.used_map_known = true;
  const bool dirty = g_.marked_dirty || reserved_entry_says_dirty(g_.type, census->reserved_entry);
  info_.state = dirty ? FsState::dirty : FsState::clean;

  root_ = read_root_directory(*partition_, table_, g_);
  info_.label = root_.label;
  if (!root_.whole) add_warning(info_, "the root directory is damaged");
  if (census->copies_differ) {
    if (g_.fats_mirrored)
      add_warning(info_, "the copies of the file allocation table differ: what either calls used is saved");
    root_.files.clear();
  }
  if (g_.type_contradicted)
    return save_everything(info_, *partition_, "the boot sector names another FAT type than its cluster count gives");
  if (!g_.has_signature)
    return save_everything(info_, *partition_, "the boot sector has no signature, so the width of FAT entries is not sure");
  if (holds_hibernated_system()) info_.state = FsState::hibernated;

  const auto map = used_map();
  while (map) {
    const auto extent = (*map)->next();
    if (!extent) return save_everything(info_, *partition_, "the file allocation table cannot be read: " + extent.error().message());
    if (!*extent) return;
    info_.last_used_byte = (*extent)->end();
  }
}

// hiberfil.sys of a system that will wake begins with "hibr" ("rstr" while it wakes); afterwards with "wake" or zeros.
bool FatFileSystem::holds_hibernated_system() const {
  for (const RootFile& file : root_.files) {
    if (file.kind != LeftOutFile::Kind::hibernation || file.size_bytes < 4) continue;
    if (file.first_cluster < 2 || file.first_cluster - 2 >= g_.cluster_count) continue;
    std::array<std::byte, 4> magic{};
    if (!partition_->read(g_.data_offset + std::uint64_t{file.first_cluster - 2} * g_.cluster_bytes, magic)) continue;
    const std::string_view text = as_text(magic);
    if (text == "hibr" || text == "HIBR" || text == "rstr" || text == "RSTR") return true;
  }
  return false;
}

bool FatFileSystem::shared_with_root_entry(const ExtentSet& extents) const {
  return std::any_of(root_.other_starts.begin(), root_.other_starts.end(), [&](std::uint32_t start) {
    return start >= 2 && start - 2 < g_.cluster_count &&
           extents.contains(g_.data_offset + std::uint64_t{start - 2} * g_.cluster_bytes);
  });
}

Result<std::vector<LeftOutFile>> FatFileSystem::left_out_files() {
  std::vector<LeftOutFile> out;
  if (!info_.used_map_known || !root_.whole) return out;
  ExtentSet taken;
  for (const RootFile& file : root_.files) {
    auto extents = TRY(extents_of_chain(table_, g_, file));
    if (!extents || shared_with_root_entry(*extents)) continue;
    if (TRY(is_cross_linked(table_, g_, file, *extents))) continue;
    const bool twice = std::any_of(extents->items().begin(), extents->items().end(),
                                   [&](const Extent& extent) { return taken.intersects(extent); });
    if (twice) return std::vector<LeftOutFile>{};
    std::vector<Extent> both = taken.items();
    both.insert(both.end(), extents->items().begin(), extents->items().end());
    taken = ExtentSet(std::move(both));
    out.push_back({file.kind, file.path, std::move(*extents), file.size_bytes});
  }
  return out;
}

}  // namespace
}  // namespace fat

Result<std::unique_ptr<FileSystem>> probe_fat(std::shared_ptr<Drive> partition) {
  if (partition->size_bytes() < 512) return nullptr;
  std::array<std::byte, 512> sector{};
  TRY(partition->read(0, sector));
  const auto geometry = fat::parse_boot_sector(sector);
  if (!geometry) return nullptr;
  if (!geometry->has_signature) {
    std::array<std::byte, 4> table{};
    if (!fits(geometry->fat_offset, table.size(), partition->size_bytes())) return nullptr;
    if (!partition->read(geometry->fat_offset, table) || !fat::fat_confirms(*geometry, table)) return nullptr;
  }
  const auto metadata = fat::bitlocker_to_go_metadata(sector);
  if (metadata) {
    std::array<std::byte, 8> signature{};
    if (fits(*metadata, signature.size(), partition->size_bytes()) && partition->read(*metadata, signature) &&
        as_text(signature) == "-FVE-FS-")
      return nullptr;
  }
  return std::make_unique<fat::FatFileSystem>(std::move(partition), *geometry, metadata.has_value());
}

}  // namespace tintype
