// SPDX-License-Identifier: GPL-3.0-or-later
#include "plan/restore_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "layout/edit.h"
#include "layout/render.h"

namespace tintype {
namespace {

// What makes an area look like a file system lies in here: boot sectors, the superblocks of ext (1 KiB) and
// ReiserFS (64 KiB). It is wiped first and written last where no table hides the partition meanwhile.
constexpr std::uint64_t kHeadBytes = 128 * 1024;
constexpr std::uint64_t kGptSectors = 34;  // protective MBR, header and the usual 32 sectors of entries

class Planner {
 public:
  Planner(const Catalog& image, const DriveInfo& target, const Layout& target_layout, const RestoreOptions& options,
          const TargetWords& words, Random& random)
      : image_(image), target_(target), target_layout_(target_layout), options_(options), words_(words), random_(random) {}

  Result<RestorePlan> run() {
    if (target_.read_only) return fail(ErrorCode::denied, fmt::format("{} is read-only", target_.path));
    if (image_.source.logical_sector_bytes != target_.logical_sector_bytes)
      return fail(ErrorCode::unsupported,
                  fmt::format("the image is of a drive with sectors of {} bytes, those of {} have {}",
                              image_.source.logical_sector_bytes, target_.path, target_.logical_sector_bytes),
                  "choose a drive with the same sector size");
    if (options_.partition)
      TRY(plan_partition());
    else
      TRY(plan_drive());
    for (const CopyStep& step : plan_.copies) {
      plan_.total_bytes += image_.areas[step.area].used_bytes;
      plan_.touched.add({step.target_byte, step.limit_bytes});
    }
    for (const Extent& wipe : plan_.wipe_first) plan_.touched.add(wipe);
    for (const TableWrite& write : plan_.write_last) plan_.touched.add({write.target_byte, write.bytes.size()});
    return std::move(plan_);
  }

 private:
  std::uint64_t sector() const { return target_.logical_sector_bytes; }
  std::uint64_t target_sectors() const { return target_.size_bytes / sector(); }

  // ---- the whole drive ----

  Result<void> plan_drive() {
    if (image_.areas.size() == 1 && image_.areas.front().kind == AreaKind::drive) return plan_raw_drive();
    for (const Partition& partition : image_.layout.partitions) {
      if (partition.extended) continue;
      if (find_area(partition.id)) continue;
      return fail(ErrorCode::usage, fmt::format("the image does not hold the whole drive: partition {} is not in it", partition.id_text(image_.layout.kind)),
                  fmt::format("restore single partitions; it holds {}", list_areas()));
    }
    Result<std::vector<TableSectors>> tables = render_tables(image_.layout, target_sectors());
    if (!tables) return fail(std::move(tables).error().within(fmt::format("the partitions do not fit on {}", target_.path)));
    lose_everything();
    wipe_tables();
    for (std::size_t i = 0; i < image_.areas.size(); ++i) {
      const Area& area = image_.areas[i];
      const bool first_track = area.kind == AreaKind::first_track;
      const std::uint64_t skip = first_track ? std::min(area.size_bytes, front_table_bytes()) : 0;
      plan_.copies.push_back({i, area.start_byte, skip, area.size_bytes, false});
      plan_.summary.push_back(fmt::format("write {} to sector {} ({} used)", name_of(area), area.start_byte / sector(), format_size(area.used_bytes)));
    }
    add_tables(*tables);
    return {};
  }

  Result<void> plan_raw_drive() {
    const Area& area = image_.areas.front();
    if (target_.size_bytes < area.size_bytes) return too_small(area.size_bytes, target_.size_bytes);
    lose_everything();
    wipe_tables();
    const std::uint64_t head = std::min(kHeadBytes, area.size_bytes);
    plan_.wipe_first.push_back({0, head});
    plan_.copies.push_back({0, 0, head, area.size_bytes, true});
    plan_.summary.push_back(fmt::format("write the drive as a whole ({} used)", format_size(area.used_bytes)));
    return {};
  }

  // Sectors at the front that the tables themselves fill.
  std::uint64_t front_table_bytes() const {
    const bool gpt = image_.layout.kind == TableKind::gpt || image_.layout.kind == TableKind::hybrid;
    return (gpt ? kGptSectors : 1) * sector();
  }

  // No old table, in whichever place, may be found while the restore runs or after it.
  void wipe_tables() {
    const std::uint64_t front = std::min(kGptSectors, target_sectors()) * sector();
    plan_.wipe_first.push_back({0, front});
    plan_.wipe_first.push_back({target_sectors() * sector() - front, front});
    for (const TableSectors& table : clear_tables(target_layout_)) {
      const Extent extent{table.start_sector * sector(), table.bytes.size()};
      if (fits(extent.start, extent.length, target_.size_bytes)) plan_.wipe_first.push_back(extent);
    }
  }

  void lose_everything() {
    bool any = false;
    for (const Partition& partition : target_layout_.partitions) {
      if (partition.extended) continue;
      lose(partition);
      any = true;
    }
    if (const auto words = words_.find(0); !any && words != words_.end() && !words->second.empty())
      plan_.lost.push_back(fmt::format("{}: {}", target_.path, words->second));
    if (target_layout_.kind != TableKind::none) plan_.lost.push_back(fmt::format("the partition table of {}", target_.path));
  }

  void lose(const Partition& partition) {
    const auto words = words_.find(partition.id);
    plan_.lost.push_back(fmt::format("{}@{}: {}", target_.path, partition.id_text(target_layout_.kind),
                                     words != words_.end() && !words->second.empty()
                                         ? words->second
                                         : format_size(partition.sector_count * sector())));
  }

  // ---- one partition ----

  Result<void> plan_partition() {
    const std::optional<std::size_t> found = find_area(*options_.partition);
    if (!found)
      return fail(ErrorCode::not_found, fmt::format("the image holds no partition {:#x}", *options_.partition),
                  fmt::format("it holds {}", list_areas()));
    const Area& area = image_.areas[*found];
    Layout layout = target_layout_;
    std::uint32_t id = 0;
    switch (options_.where) {
      case RestoreOptions::Where::partition: id = options_.target_partition; break;
      case RestoreOptions::Where::old_place: TRY(find_old_place(area, layout, id)); break;
      case RestoreOptions::Where::free_space: TRY(make_place(area, layout, id, std::nullopt)); break;
    }
    if (id == 0 && layout.kind == TableKind::none) return copy_to_bare_drive(*found);
    const Partition* place = layout.find(id);
    if (place == nullptr || place->extended || place->leaves_drive)
      return fail(ErrorCode::not_found, fmt::format("{} has no partition {:#x} to restore to", target_.path, id),
                  "tintype list shows the partitions there are");
    return copy_to_partition(*found, std::move(layout), id);
  }

  // An existing partition at the same sectors, or a new one there if they are free.
  Result<void> find_old_place(const Area& area, Layout& layout, std::uint32_t& id) {
    if (area.kind == AreaKind::drive) return {};
    const std::uint64_t start = area.start_byte / sector();
    const std::uint64_t end = start + area.size_bytes / sector();
    for (const Partition& partition : layout.partitions) {
      if (partition.extended || partition.start_sector >= end || partition.end_sector() <= start) continue;
      if (partition.start_sector == start && partition.end_sector() >= end) {
        id = partition.id;
        return {};
      }
      return fail(ErrorCode::refused,
                  fmt::format("the old place of {} on {} is taken by partition {} (sectors {} to {})", name_of(area), target_.path,
                              partition.id_text(layout.kind), partition.start_sector, partition.end_sector() - 1),
                  "name a target partition, or restore to free space");
    }
    return make_place(area, layout, id, start);
  }

  Result<void> make_place(const Area& area, Layout& layout, std::uint32_t& id, std::optional<std::uint64_t> start) {
    if (layout.kind == TableKind::none) {
      if (words_.contains(0) && !words_.at(0).empty())
        return fail(ErrorCode::refused, fmt::format("{} has no partition table, but holds data: {}", target_.path, words_.at(0)),
                    "restore to the drive as a whole, or clear it first");
      const TableKind kind = image_.layout.kind == TableKind::none ? TableKind::gpt : image_.layout.kind;
      layout = TRY(make_layout(kind == TableKind::hybrid ? TableKind::gpt : kind, target_sectors(), target_.logical_sector_bytes, random_));
      plan_.summary.push_back(fmt::format("make a new {} on {}", to_string(layout.kind), target_.path));
    } else {
      layout = TRY(layout_on_drive(std::move(layout), target_sectors()));
    }
    const Partition* source = image_.layout.find(area.partition);
    Partition wanted = source != nullptr ? *source : Partition{};
    wanted.sector_count = area.size_bytes / sector();
    wanted.active = false;
    Placement placement;
    placement.start_sector = start;
    if (start && source != nullptr) placement.where = source->is_volume() ? Placement::Where::volume : Placement::Where::primary;
    Result<Added> added = add_partition(layout, wanted, placement, random_);
    if (!added && placement.where == Placement::Where::volume) {
      placement.where = Placement::Where::anywhere;
      added = add_partition(layout, wanted, placement, random_);
    }
    if (!added) return fail(std::move(added).error().within(fmt::format("no room for {} on {}", name_of(area), target_.path)));
    layout = std::move(added->layout);
    id = added->id;
    created_ = true;
    return {};
  }

  Result<void> copy_to_partition(std::size_t index, Layout layout, std::uint32_t id) {
    const Area& area = image_.areas[index];
    const Partition place = *layout.find(id);
    const std::uint64_t room = place.sector_count * sector();
    if (room < area.size_bytes) return too_small(area.size_bytes, room);
    if (!created_) lose(place);
    if (const Partition* source = image_.layout.find(area.partition); source != nullptr && !created_) {
      const Layout before = layout;
      if (layout.kind == image_.layout.kind) layout = TRY(set_type(std::move(layout), id, *source));
      changed_ = layout.partitions != before.partitions;
    }
    const std::uint64_t start = place.start_sector * sector();
    copy_with_head(index, start);
    plan_.summary.push_back(fmt::format("write {} to {}partition {} of {}, sector {} ({} used)", name_of(area), created_ ? "the new " : "",
                                        place.id_text(layout.kind), target_.path, place.start_sector, format_size(area.used_bytes)));
    const bool has_field = area.fs.type == FsType::ntfs || area.fs.type == FsType::fat12 || area.fs.type == FsType::fat16 ||
                           area.fs.type == FsType::fat32;
    if (has_field && start != area.start_byte) {
      const std::uint64_t hidden = place.is_volume() ? place.start_sector - place.embr_sector : place.start_sector;
      const std::uint64_t fs_bytes = std::min(area.fs.file_system_bytes != 0 ? area.fs.file_system_bytes : area.size_bytes, area.size_bytes);
      plan_.fixes.push_back({start, fs_bytes, area.fs.type, static_cast<std::uint32_t>(hidden)});
      plan_.summary.push_back(fmt::format("correct its hidden-sectors field to {}", hidden));
    }
    TRY(add_first_track());
    if (created_ || changed_) add_tables(TRY(render_tables(layout, target_sectors())));
    return {};
  }

  Result<void> copy_to_bare_drive(std::size_t index) {
    const Area& area = image_.areas[index];
    if (target_.size_bytes < area.size_bytes) return too_small(area.size_bytes, target_.size_bytes);
    lose_everything();
    copy_with_head(index, 0);
    plan_.summary.push_back(fmt::format("write {} to the whole of {} ({} used)", name_of(area), target_.path, format_size(area.used_bytes)));
    return {};
  }

  void copy_with_head(std::size_t index, std::uint64_t start) {
    const Area& area = image_.areas[index];
    const std::uint64_t head = std::min(kHeadBytes, area.size_bytes);
    plan_.wipe_first.push_back({start, head});
    plan_.copies.push_back({index, start, head, area.size_bytes, true});
  }

  // The code behind sector 0, if asked for: never into a partition of the target.
  Result<void> add_first_track() {
    if (!options_.first_track_sectors) return {};
    for (std::size_t i = 0; i < image_.areas.size(); ++i) {
      if (image_.areas[i].kind != AreaKind::first_track) continue;
      std::uint64_t limit = image_.areas[i].size_bytes;
      if (*options_.first_track_sectors != 0) limit = std::min(limit, *options_.first_track_sectors * sector());
      for (const Partition& partition : target_layout_.partitions)
        limit = std::min(limit, partition.start_sector * sector());
      const bool gpt = target_layout_.kind == TableKind::gpt || target_layout_.kind == TableKind::hybrid;
      const std::uint64_t skip = (gpt ? kGptSectors : 1) * sector();
      plan_.copies.push_back({i, 0, std::min(skip, limit), limit, false});
      plan_.summary.push_back(fmt::format("write {} sectors of the first track", limit / sector()));
      return {};
    }
    return fail(ErrorCode::not_found, "the image holds no first track", "leave the first track out of the restore");
  }

  // ---- shared ----

  void add_tables(const std::vector<TableSectors>& tables) {
    for (const TableSectors& table : tables) {
      const std::string what = table.start_sector == 0 ? "the sectors of the partition table from sector 0"
                                                       : fmt::format("the partition table at sector {}", table.start_sector);
      plan_.write_last.push_back({table.start_sector * sector(), table.bytes, what});
    }
    plan_.summary.push_back("write the partition table, sector 0 last");
  }

  std::optional<std::size_t> find_area(std::uint32_t id) const {
    for (std::size_t i = 0; i < image_.areas.size(); ++i) {
      const Area& area = image_.areas[i];
      if (area.kind != AreaKind::first_track && area.partition == id) return i;
    }
    return std::nullopt;
  }

  std::string name_of(const Area& area) const {
    if (area.kind == AreaKind::first_track) return "the first track";
    if (area.kind == AreaKind::drive) return "the drive";
    const Partition* partition = image_.layout.find(area.partition);
    return fmt::format("partition {} ({})", partition != nullptr ? partition->id_text(image_.layout.kind) : "?", to_string(area.fs.type));
  }

  std::string list_areas() const {
    std::string text;
    for (const Area& area : image_.areas)
      if (area.kind != AreaKind::first_track) text += (text.empty() ? "" : ", ") + name_of(area);
    return text;
  }

  Result<void> too_small(std::uint64_t needed, std::uint64_t there) const {
    return fail(ErrorCode::no_space,
                fmt::format("the target is too small: {} bytes ({}) are needed, it has {} ({})", needed, format_size(needed), there, format_size(there)),
                "choose a larger target");
  }

  const Catalog& image_;
  const DriveInfo& target_;
  const Layout& target_layout_;
  const RestoreOptions& options_;
  const TargetWords& words_;
  Random& random_;
  RestorePlan plan_;
  bool created_ = false;  // the place is a new partition
  bool changed_ = false;  // the existing entry's type changes
};

}  // namespace

Result<RestorePlan> plan_restore(const Catalog& image, const DriveInfo& target, const Layout& target_layout,
                                 const RestoreOptions& options, const TargetWords& words, Random& random) {
  return Planner(image, target, target_layout, options, words, random).run();
}

}  // namespace tintype
