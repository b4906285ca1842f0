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
// Superblocks of Linux RAID lie in the last 128 KiB of a partition (md(4): 0.90 and 1.0). One that a restore of used blocks
// left there would claim the new file system for an array.
constexpr std::uint64_t kTailBytes = 128 * 1024;
constexpr std::uint64_t kGptSectors = 34;  // protective MBR, header and the usual 32 sectors of entries

// The type of a partition for a file system that came from a drive without a table.
std::uint8_t mbr_type_of(FsType type) {
  switch (type) {
    case FsType::ntfs:
    case FsType::exfat: return 0x07;
    case FsType::fat12: return 0x01;
    case FsType::fat16: return 0x0E;
    case FsType::fat32: return 0x0C;
    case FsType::swap: return 0x82;
    default: return 0x83;
  }
}

bool has_gpt(const Layout& layout) { return layout.kind == TableKind::gpt || layout.kind == TableKind::hybrid; }

// Sectors at the front that the tables fill: sector 0, or as far as the primary entries of the GPT reach.
std::uint64_t front_table_sectors(const Layout& layout) {
  if (!has_gpt(layout) || !layout.gpt) return 1;
  const std::uint64_t entries = div_round_up(std::uint64_t{layout.gpt->entry_count} * layout.gpt->entry_bytes, layout.sector_bytes);
  return std::max<std::uint64_t>(layout.gpt->primary_entries_sector, 2) + entries;
}

class Planner {
 public:
  Planner(const SourceView& source, const DriveInfo& target, const Layout& target_layout, const RestoreOptions& options,
          const TargetWords& words, Random& random)
      : source_(source), target_(target), target_layout_(target_layout), options_(options), words_(words), random_(random) {}

  Result<RestorePlan> run() {
    if (target_.read_only) return fail(ErrorCode::denied, fmt::format("{} is read-only", target_.path));
    if (source_.drive.logical_sector_bytes != target_.logical_sector_bytes)
      return fail(ErrorCode::unsupported,
                  fmt::format("{} is of a drive with sectors of {} bytes, those of {} have {}", source_.words,
                              source_.drive.logical_sector_bytes, target_.path, target_.logical_sector_bytes),
                  "choose a drive with the same sector size");
    if (options_.partition)
      TRY(plan_partition());
    else
      TRY(plan_drive());
    for (const CopyStep& step : plan_.copies) {
      plan_.total_bytes += source_.areas[step.area].used_bytes;
      plan_.touched.add({step.target_byte, step.limit_bytes});
    }
    for (const Extent& wipe : plan_.wipe_first) plan_.touched.add(wipe);
    for (const TableWrite& write : plan_.write_last) plan_.touched.add({write.target_byte, write.bytes.size()});
    if (plan_.touched.end() > target_.size_bytes) TRY(too_small(plan_.touched.end(), target_.size_bytes));
    return std::move(plan_);
  }

 private:
  std::uint64_t sector() const { return target_.logical_sector_bytes; }
  std::uint64_t target_sectors() const { return target_.size_bytes / sector(); }

  // ---- the whole drive ----

  Result<void> plan_drive() {
    if (source_.areas.empty()) return fail(ErrorCode::corrupt, fmt::format("{} holds nothing", source_.words));
    if (source_.areas.size() == 1 && source_.areas.front().kind == AreaKind::drive) return plan_raw_drive();
    for (const Partition& partition : source_.layout.partitions) {
      if (partition.extended) continue;
      if (const auto found = find_area(partition.id)) {
        const Area& area = source_.areas[*found];
        if (area.start_byte == partition.start_sector * sector() && area.size_bytes == partition.sector_count * sector()) continue;
        return fail(ErrorCode::corrupt, fmt::format("{} does not lie where the partition table of {} says", name_of(area), source_.words));
      }
      return fail(ErrorCode::usage, fmt::format("{} does not hold the whole drive: partition {} is not in it", source_.words, partition.id_text(source_.layout.kind)),
                  fmt::format("take single partitions; it holds {}", list_areas()));
    }
    Result<std::vector<TableSectors>> tables = render_tables(source_.layout, target_sectors());
    if (!tables) return fail(std::move(tables).error().within(fmt::format("the partitions do not fit on {}", target_.path)));
    lose_everything();
    wipe_tables();
    for (std::size_t i = 0; i < source_.areas.size(); ++i) {
      const Area& area = source_.areas[i];
      const bool first_track = area.kind == AreaKind::first_track;
      const std::uint64_t skip = first_track ? std::min(area.size_bytes, rendered_front_bytes()) : 0;
      if (!first_track) wipe_ends({area.start_byte, area.size_bytes});
      plan_.copies.push_back({i, area.start_byte, skip, area.size_bytes, false});
      plan_.summary.push_back(fmt::format("write {} to sector {} ({} used)", name_of(area), area.start_byte / sector(), format_size(area.used_bytes)));
    }
    add_tables(*tables);
    return {};
  }

  Result<void> plan_raw_drive() {
    const Area& area = source_.areas.front();
    if (target_.size_bytes < area.size_bytes) return too_small(area.size_bytes, target_.size_bytes);
    lose_everything();
    wipe_tables();
    const std::uint64_t head = std::min(kHeadBytes, area.size_bytes);
    plan_.wipe_first.push_back({0, head});
    plan_.copies.push_back({0, 0, head, area.size_bytes, true});
    plan_.summary.push_back(fmt::format("write the drive as a whole ({} used)", format_size(area.used_bytes)));
    return {};
  }

  // What makes the drive look whole, and comes from the tables: sector 0 and the header of a GPT. Its entries lie anywhere behind
  // and are found through the header only; what lies around them belongs to the first track.
  std::uint64_t rendered_front_bytes() const { return (has_gpt(source_.layout) ? 2 : 1) * sector(); }

  // No old table, in whichever place, may be found while the restore runs or after it.
  void wipe_tables() {
    const std::uint64_t front = std::min(std::max(kGptSectors, kHeadBytes / sector()), target_sectors()) * sector();
    plan_.wipe_first.push_back({0, front});
    plan_.wipe_first.push_back({target_sectors() * sector() - front, front});
    for (const TableSectors& table : clear_tables(target_layout_)) {
      const Extent extent{table.start_sector * sector(), table.bytes.size()};
      if (fits(extent.start, extent.length, target_.size_bytes)) plan_.wipe_first.push_back(extent);
    }
  }

  // What identifies an older file system or RAID member there; the used blocks need not cover it.
  void wipe_ends(Extent range) {
    plan_.wipe_first.push_back({range.start, std::min(kHeadBytes, range.length)});
    const std::uint64_t tail = std::min(kTailBytes, range.length);
    plan_.wipe_first.push_back({range.end() - tail, tail});
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
      return fail(ErrorCode::not_found, fmt::format("{} holds no partition {:#x}", source_.words, *options_.partition),
                  fmt::format("it holds {}", list_areas()));
    const Area& area = source_.areas[*found];
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
      const TableKind kind = source_.layout.kind == TableKind::none ? TableKind::gpt : source_.layout.kind;
      layout = TRY(make_layout(kind == TableKind::hybrid ? TableKind::gpt : kind, target_sectors(), target_.logical_sector_bytes, random_));
      plan_.summary.push_back(fmt::format("make a new {} on {}", to_string(layout.kind), target_.path));
    } else {
      TRY(check_free_space_is_known());
      layout = TRY(layout_on_drive(std::move(layout), target_sectors()));
    }
    const Partition* source = source_.layout.find(area.partition);
    Partition wanted = source != nullptr ? *source : Partition{};
    if (wanted.mbr_type == 0 && !wanted.type_guid) wanted.mbr_type = mbr_type_of(area.fs.type);
    wanted.sector_count = div_round_up(area.size_bytes, sector());
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

  // A damaged table may hide partitions in what looks free.
  Result<void> check_free_space_is_known() const {
    const bool cut_off = std::ranges::any_of(target_layout_.partitions, &Partition::leaves_drive);
    if (target_layout_.problems.empty() || (target_layout_.kind != TableKind::mbr && !cut_off)) return {};
    return fail(ErrorCode::refused,
                fmt::format("the partition table of {} is damaged, so it is not known what is free: {}", target_.path, target_layout_.problems.front()),
                "name a target partition, or repair the table first");
  }

  // What else is destroyed where partitions overlap; and never the table that describes them.
  Result<void> check_neighbours(const Partition& place) {
    for (const TableSectors& table : target_layout_.table_sectors) {
      const std::uint64_t end = table.start_sector + table.bytes.size() / sector();
      if (place.start_sector < end && table.start_sector < place.end_sector())
        return fail(ErrorCode::refused,
                    fmt::format("partition {} of {} covers sectors of the partition table itself", place.id_text(target_layout_.kind), target_.path),
                    "choose another target partition");
    }
    for (const Partition& other : target_layout_.partitions)
      if (!other.extended && other.id != place.id && other.start_sector < place.end_sector() && place.start_sector < other.end_sector())
        lose(other);
    return {};
  }

  // Gives the entry the type of the image's partition, if that has one.
  Result<Layout> typed(Layout layout, std::uint32_t id, const Area& area) {
    const Partition* source = source_.layout.find(area.partition);
    if (created_ || source == nullptr || (source->mbr_type == 0 && !source->type_guid)) return layout;
    const Layout before = layout;
    layout = TRY(set_type(std::move(layout), id, *source));
    changed_ = layout.partitions != before.partitions;
    if (!changed_ || std::ranges::none_of(layout.partitions, &Partition::leaves_drive)) return layout;
    changed_ = false;  // such a table is never rewritten
    plan_.summary.push_back("leave the type of the partition, as the partition table is damaged");
    return before;
  }

  // NTFS and FAT keep how many sectors lie before them.
  void fix_hidden_sectors(const Area& area, std::uint64_t start, std::uint64_t hidden) {
    const bool has_field = area.fs.type == FsType::ntfs || area.fs.type == FsType::fat12 || area.fs.type == FsType::fat16 ||
                           area.fs.type == FsType::fat32;
    if (!has_field || start == area.start_byte) return;
    if (hidden > UINT32_MAX) hidden = 0;  // what the field cannot hold is left unsaid
    plan_.fixes.push_back({start, area.size_bytes, area.fs.type, static_cast<std::uint32_t>(hidden)});
    plan_.summary.push_back(fmt::format("correct its hidden-sectors field to {}", hidden));
  }

  Result<void> copy_to_partition(std::size_t index, Layout layout, std::uint32_t id) {
    const Area& area = source_.areas[index];
    const Partition place = *layout.find(id);
    const std::uint64_t room = place.sector_count * sector();
    if (room < area.size_bytes) return too_small(area.size_bytes, room);
    if (!created_) {
      lose(place);
      TRY(check_neighbours(place));
    }
    layout = TRY(typed(std::move(layout), id, area));
    const std::uint64_t start = place.start_sector * sector();
    copy_with_head(index, {start, room});
    plan_.summary.push_back(fmt::format("write {} to {}partition {} of {}, sector {} ({} used)", name_of(area), created_ ? "the new " : "",
                                        place.id_text(layout.kind), target_.path, place.start_sector, format_size(area.used_bytes)));
    fix_hidden_sectors(area, start, place.is_volume() ? place.start_sector - place.embr_sector : place.start_sector);
    TRY(add_first_track(layout));
    if (created_ || changed_) add_tables(TRY(render_tables(layout, target_sectors())));
    return {};
  }

  Result<void> copy_to_bare_drive(std::size_t index) {
    const Area& area = source_.areas[index];
    if (target_.size_bytes < area.size_bytes) return too_small(area.size_bytes, target_.size_bytes);
    lose_everything();
    copy_with_head(index, {0, target_.size_bytes});
    plan_.summary.push_back(fmt::format("write {} to the whole of {} ({} used)", name_of(area), target_.path, format_size(area.used_bytes)));
    fix_hidden_sectors(area, 0, 0);
    return {};
  }

  void copy_with_head(std::size_t index, Extent place) {
    const Area& area = source_.areas[index];
    wipe_ends(place);
    plan_.copies.push_back({index, place.start, std::min(kHeadBytes, area.size_bytes), area.size_bytes, true});
  }

  // The code behind sector 0, if asked for: never into a partition or a table of the target.
  Result<void> add_first_track(const Layout& layout) {
    if (!options_.first_track_sectors) return {};
    for (std::size_t i = 0; i < source_.areas.size(); ++i) {
      if (source_.areas[i].kind != AreaKind::first_track) continue;
      std::uint64_t limit = source_.areas[i].size_bytes;
      if (*options_.first_track_sectors != 0) limit = std::min(limit, *options_.first_track_sectors * sector());
      for (const Partition& partition : layout.partitions) limit = std::min(limit, partition.start_sector * sector());
      const std::uint64_t skip = std::max(front_table_sectors(layout), front_table_sectors(source_.layout)) * sector();
      if (skip >= limit) {
        plan_.summary.push_back("write nothing of the first track: tables and partitions leave it no room");
        return {};
      }
      plan_.copies.push_back({i, 0, skip, limit, false});
      plan_.summary.push_back(fmt::format("write sectors {} to {} of the first track", skip / sector(), limit / sector() - 1));
      return {};
    }
    return fail(ErrorCode::not_found, fmt::format("{} holds no first track", source_.words), "leave the first track out");
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
    for (std::size_t i = 0; i < source_.areas.size(); ++i) {
      const Area& area = source_.areas[i];
      if (area.kind != AreaKind::first_track && area.partition == id) return i;
    }
    return std::nullopt;
  }

  std::string name_of(const Area& area) const {
    if (area.kind == AreaKind::first_track) return "the first track";
    if (area.kind == AreaKind::drive) return "the drive";
    const Partition* partition = source_.layout.find(area.partition);
    return fmt::format("partition {} ({})", partition != nullptr ? partition->id_text(source_.layout.kind) : "?", to_string(area.fs.type));
  }

  std::string list_areas() const {
    std::string text;
    for (const Area& area : source_.areas)
      if (area.kind != AreaKind::first_track) text += (text.empty() ? "" : ", ") + name_of(area);
    return text;
  }

  Result<void> too_small(std::uint64_t needed, std::uint64_t there) const {
    return fail(ErrorCode::no_space,
                fmt::format("the target is too small: {} bytes ({}) are needed, it has {} ({})", needed, format_size(needed), there, format_size(there)),
                "choose a larger target");
  }

  const SourceView& source_;
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

Result<RestorePlan> plan_restore(const SourceView& source, const DriveInfo& target, const Layout& target_layout,
                                 const RestoreOptions& options, const TargetWords& words, Random& random) {
  return Planner(source, target, target_layout, options, words, random).run();
}

Result<RestorePlan> plan_restore(const Catalog& image, const DriveInfo& target, const Layout& target_layout,
                                 const RestoreOptions& options, const TargetWords& words, Random& random) {
  return plan_restore(view_of(image), target, target_layout, options, words, random);
}

}  // namespace tintype
