// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/fat/owners.h"

#include <fmt/format.h>

#include <algorithm>

#include "fs/fat/folder.h"
#include "fs/folder_walk.h"
#include "fs/owner_list.h"

namespace tintype::fat {
namespace {

using Kind = ByteOwner::Kind;

class Survey {
 public:
  Survey(std::shared_ptr<Drive> partition, std::shared_ptr<Table> table, const Geometry& g, const ExtentSet& bytes)
      : partition_(std::move(partition)), table_(std::move(table)), g_(g), list_(bytes, partition_->size_bytes()),
        budget_(std::uint64_t{2} * g.cluster_count + 65536) {}

  std::vector<ByteOwner> run() {
    if (list_.asked().empty()) return {};
    claim_fixed_places();
    walk();
    claim_rest();
    return list_.take();
  }

 private:
  Extent clusters(std::uint32_t first, std::uint64_t count) const {
    return {g_.data_offset + std::uint64_t{first - 2} * g_.cluster_bytes, count * g_.cluster_bytes};
  }
  bool holds(std::uint32_t cluster) const { return cluster >= 2 && cluster - 2 < g_.cluster_count; }

  void claim_fixed_places() {
    list_.claim(Kind::structure, "the boot sector", {0, g_.sector_bytes});
    list_.claim(Kind::structure, "the reserved sectors", {g_.sector_bytes, g_.fat_offset - std::min<std::uint64_t>(g_.sector_bytes, g_.fat_offset)});
    for (std::uint32_t copy = 0; copy < g_.fat_copies; ++copy)
      list_.claim(Kind::structure, copy == g_.active_fat ? "the FAT" : fmt::format("copy {} of the FAT", copy + 1),
                  {g_.offset_of_copy(copy), g_.fat_bytes});
    if (g_.type == FsType::fat32)
      claim_chain(Kind::folder, "/", g_.root_cluster);
    else
      list_.claim(Kind::folder, "/", {g_.root_offset, g_.data_offset - g_.root_offset});
    const std::uint64_t end = g_.data_offset + std::uint64_t{g_.cluster_count} * g_.cluster_bytes;
    if (end < partition_->size_bytes()) list_.claim(Kind::structure, "the space behind the last cluster", {end, partition_->size_bytes() - end});
  }

  void walk() {
    walk_folders(FolderReader(partition_, table_, g_, 0), budget_, [this](const FolderEntry& entry, const std::string& path) {
      claim_chain(entry.is_folder() ? Kind::folder : Kind::file, path, entry.first_cluster);
      std::optional<FolderReader> below;
      if (entry.is_folder() && holds(entry.first_cluster)) below.emplace(partition_, table_, g_, entry.first_cluster);
      return below;
    });
  }

  // Its whole chain, longer than the file or not. Files that share clusters make it no longer than the budget.
  void claim_chain(Kind kind, const std::string& path, std::uint32_t first) {
    for (std::uint32_t cluster = first; holds(cluster) && budget_ > 0;) {
      std::uint64_t count = 0;
      Result<Entry> next = fail(ErrorCode::corrupt, "");
      do {
        ++count;
        spend(budget_, 1);
        next = table_->entry(cluster + static_cast<std::uint32_t>(count) - 1);
      } while (next && next->value() == cluster + count && holds(next->value()) && budget_ > 0);
      list_.claim(kind, path, clusters(cluster, count));
      if (!next || next->end_of_chain() || next->bad()) return;
      cluster = next->value();
    }
  }

  void claim_rest() {
    const ExtentSet rest = list_.unclaimed();
    for (const Extent& piece : rest.items()) {
      std::uint64_t at = std::max(piece.start, g_.data_offset);
      while (at < piece.end()) {
        const std::uint64_t index = (at - g_.data_offset) / g_.cluster_bytes;
        if (index >= g_.cluster_count) break;
        const Result<Entry> entry = table_->entry(static_cast<std::uint32_t>(index) + 2);
        const std::uint64_t end = std::min(g_.data_offset + (index + 1) * g_.cluster_bytes, piece.end());
        const bool free = entry && entry->free();
        list_.claim(free ? Kind::free_space : Kind::structure,
                    free                     ? "free space"
                    : !entry                 ? "clusters of which the FAT cannot be read"
                    : entry->bad()           ? "clusters marked as bad"
                                             : "clusters in use that belong to no file",
                    {at, end - at});
        at = end;
      }
    }
  }

  std::shared_ptr<Drive> partition_;
  std::shared_ptr<Table> table_;
  Geometry g_;
  OwnerList list_;
  std::uint64_t budget_;  // of steps along chains
};

}  // namespace

Result<std::vector<ByteOwner>> owners_of(std::shared_ptr<Drive> partition, std::shared_ptr<Table> table, const Geometry& geometry,
                                         const ExtentSet& bytes) {
  return Survey(std::move(partition), std::move(table), geometry, bytes).run();
}

}  // namespace tintype::fat
