// SPDX-License-Identifier: GPL-3.0-or-later
// exFAT. The allocation bitmap is the map; clusters that it must name (its own, the root's, the up-case table's) prove
// that it is one.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "fs/exfat/bitmap.h"
#include "fs/probe.h"

namespace tintype {
namespace exfat {
namespace {

class ExfatFileSystem final : public FileSystem {
 public:
  ExfatFileSystem(std::shared_ptr<Drive> partition, const std::optional<Geometry>& geometry) : partition_(std::move(partition)) {
    info_.type = FsType::exfat;
    info_.file_system_bytes = info_.used_bytes = info_.last_used_byte = partition_->size_bytes();
    const auto examined = examine(geometry);
    if (!examined) save_everything(info_, *partition_, examined.error().what);
  }

  Result<std::unique_ptr<ExtentStream>> used_map() override {
    if (!info_.used_map_known) return stream_of(ExtentSet({{0, partition_->size_bytes()}}));
    return used_map_of(allocated_runs(partition_, g_, root_.bitmaps), area());
  }

 private:
  ClusterArea area() const {
    return {.data_offset_bytes = g_.heap_offset,
            .cluster_bytes = g_.cluster_bytes,
            .cluster_count = g_.cluster_count,
            .file_system_bytes = g_.total_bytes,
            .partition_bytes = partition_->size_bytes()};
  }

  Result<void> examine(const std::optional<Geometry>& geometry) {
    if (!geometry) return fail(ErrorCode::corrupt, "the boot sector's numbers contradict each other");
    g_ = *geometry;
    info_.serial = g_.serial;
    info_.cluster_bytes = g_.cluster_bytes;
    info_.state = g_.dirty || g_.media_failure ? FsState::dirty : FsState::clean;
    info_.file_system_bytes = std::min(g_.total_bytes, partition_->size_bytes());
    if (g_.total_bytes > partition_->size_bytes())
      return fail(ErrorCode::corrupt, fmt::format("the file system has {} bytes but its partition only {}", g_.total_bytes,
                                                  partition_->size_bytes()));
    root_ = TRY(read_root(*partition_, g_));
    info_.label = root_.label;
    const std::size_t active = g_.active_fat < root_.bitmaps.size() ? g_.active_fat : 0;
    const std::uint64_t used = TRY(count_allocated(*partition_, g_, root_.bitmaps[active]));
    info_.used_bytes = used * g_.cluster_bytes;
    info_.free_bytes = (g_.cluster_count - used) * g_.cluster_bytes;
    // There is no journal, and drivers write the bitmap late: files may lie in clusters that it still calls free.
    if (g_.dirty) return fail(ErrorCode::corrupt, "the volume was not unmounted, so its allocation bitmap may be out of date");
    if (!TRY(boot_checksum_fits(*partition_, g_))) return fail(ErrorCode::corrupt, "the boot region's checksum is wrong");

    ExtentSet missing(root_.must_be_allocated);
    info_.used_map_known = true;
    auto map = TRY(used_map());
    while (const auto extent = TRY(map->next())) {
      missing.remove(*extent);
      info_.last_used_byte = extent->end();
    }
    if (!missing.empty())
      return fail(ErrorCode::corrupt, "the allocation bitmap does not name clusters that are certainly in use");
    return {};
  }

  std::shared_ptr<Drive> partition_;
  Geometry g_;
  Root root_;
};

}  // namespace
}  // namespace exfat

Result<std::unique_ptr<FileSystem>> probe_exfat(std::shared_ptr<Drive> partition) {
  if (partition->size_bytes() < 512) return nullptr;
  std::array<std::byte, 512> sector{};
  TRY(partition->read(0, sector));
  const exfat::BootSector boot = exfat::parse_boot_sector(sector);
  if (!boot.is_exfat) return nullptr;
  return std::make_unique<exfat::ExfatFileSystem>(std::move(partition), boot.geometry);
}

}  // namespace tintype
