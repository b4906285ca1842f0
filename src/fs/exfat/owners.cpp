// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/exfat/owners.h"

#include "fs/folder_walk.h"
#include "fs/owner_list.h"

namespace tintype::exfat {
namespace {

using Kind = ByteOwner::Kind;

class Survey {
 public:
  Survey(std::shared_ptr<Drive> partition, std::shared_ptr<Table> table, const Geometry& g, const Root* root, const ExtentSet& bytes)
      : partition_(std::move(partition)), table_(std::move(table)), g_(g), root_(root), list_(bytes, partition_->size_bytes()),
        budget_(std::uint64_t{2} * g.cluster_count + 65536) {}

  std::vector<ByteOwner> run() {
    if (list_.asked().empty()) return {};
    claim_fixed_places();
    const Stream top = FolderReader::root_of(g_);
    claim_stream(Kind::folder, "/", top);
    walk_folders(FolderReader(partition_, table_, g_, top), budget_, [this](const FolderEntry& entry, const std::string& path) {
      claim_stream(entry.is_folder() ? Kind::folder : Kind::file, path, entry.stream);
      std::optional<FolderReader> below;
      if (entry.is_folder() && g_.holds(entry.stream.first_cluster)) below.emplace(partition_, table_, g_, entry.stream);
      return below;
    });
    claim_rest();
    return list_.take();
  }

 private:
  Extent clusters(std::uint32_t first, std::uint64_t count) const { return {g_.offset_of(first), count * g_.cluster_bytes}; }

  void claim_fixed_places() {
    const std::uint64_t region = std::uint64_t{12} * g_.sector_bytes;
    list_.claim(Kind::structure, "the boot region", {0, region});
    list_.claim(Kind::structure, "the copy of the boot region", {region, region});
    list_.claim(Kind::structure, "the FAT", {g_.fat_offset, g_.fat_bytes});
    if (g_.fat_copies == 2)
      list_.claim(Kind::structure, "the other FAT", {g_.active_fat == 0 ? g_.fat_offset + g_.fat_bytes : g_.fat_offset - g_.fat_bytes, g_.fat_bytes});
    if (root_ != nullptr) {
      for (const Bitmap& bitmap : root_->bitmaps)
        for (const Extent& piece : bitmap.pieces) list_.claim(Kind::structure, "the allocation bitmap", piece);
      for (const Extent& piece : root_->upcase.pieces) list_.claim(Kind::structure, "the up-case table", piece);
    }
    const std::uint64_t end = g_.heap_offset + std::uint64_t{g_.cluster_count} * g_.cluster_bytes;
    if (end < partition_->size_bytes()) list_.claim(Kind::structure, "the space behind the last cluster", {end, partition_->size_bytes() - end});
  }

  void claim_stream(Kind kind, const std::string& path, const Stream& stream) {
    std::uint64_t wanted = div_round_up(stream.size_bytes, g_.cluster_bytes);
    if (!g_.holds(stream.first_cluster)) return;
    if (stream.contiguous)
      return list_.claim(kind, path, clusters(stream.first_cluster, std::min<std::uint64_t>(wanted, g_.cluster_count - (stream.first_cluster - 2))));
    for (std::uint32_t cluster = stream.first_cluster; wanted > 0 && budget_ > 0;) {
      std::uint64_t count = 0;
      std::optional<std::uint32_t> next;
      do {
        ++count;
        spend(budget_, 1);
        const auto found = table_->next(cluster + static_cast<std::uint32_t>(count) - 1);
        next = found ? *found : std::nullopt;
      } while (count < wanted && budget_ > 0 && next == cluster + count);
      list_.claim(kind, path, clusters(cluster, count));
      wanted -= count;
      if (!next) return;
      cluster = *next;
    }
  }

  void claim_rest() {
    const ExtentSet rest = list_.unclaimed();
    Bytes window;
    std::uint64_t window_at = ~0ull;
    const auto used = [&](std::uint64_t index) -> std::optional<bool> {
      constexpr std::uint64_t kWindow = 4096;
      const Bitmap* bitmap = root_ == nullptr ? nullptr : &root_->bitmaps[g_.active_fat < root_->bitmaps.size() ? g_.active_fat : 0];
      if (bitmap == nullptr) return std::nullopt;
      const std::uint64_t at = round_down(index / 8, kWindow);
      if (at != window_at) {
        window.resize(static_cast<std::size_t>(std::min(kWindow, bitmap->bytes - at)));
        window_at = ~0ull;
        if (!bitmap->read(*partition_, at, window)) return std::nullopt;
        window_at = at;
      }
      return (u8(window, static_cast<std::size_t>(index / 8 - at)) >> (index % 8) & 1) != 0;
    };
    for (const Extent& piece : rest.items()) {
      std::uint64_t at = std::max(piece.start, g_.heap_offset);
      while (at < piece.end()) {
        const std::uint64_t index = (at - g_.heap_offset) / g_.cluster_bytes;
        if (index >= g_.cluster_count) break;
        const std::uint64_t end = std::min(g_.heap_offset + (index + 1) * g_.cluster_bytes, piece.end());
        const std::optional<bool> state = used(index);
        list_.claim(state == false ? Kind::free_space : Kind::structure,
                    !state   ? "clusters of which the bitmap cannot be read"
                    : *state ? "clusters in use that belong to no file"
                             : "free space",
                    {at, end - at});
        at = end;
      }
    }
  }

  std::shared_ptr<Drive> partition_;
  std::shared_ptr<Table> table_;
  Geometry g_;
  const Root* root_;
  OwnerList list_;
  std::uint64_t budget_;  // of steps along chains
};

}  // namespace

Result<std::vector<ByteOwner>> owners_of(std::shared_ptr<Drive> partition, std::shared_ptr<Table> table, const Geometry& geometry,
                                         const Root* root, const ExtentSet& bytes) {
  return Survey(std::move(partition), std::move(table), geometry, root, bytes).run();
}

}  // namespace tintype::exfat
