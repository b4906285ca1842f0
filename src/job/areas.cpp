// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/areas.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "drive/rescue.h"

namespace tintype {
namespace {

// Widens every range to whole units, as the index of an image counts them, and joins what then touches.
class UnitStream final : public ExtentStream {
 public:
  UnitStream(std::unique_ptr<ExtentStream> inner, std::uint64_t limit) : inner_(std::move(inner)), limit_(limit) {}
  Result<std::optional<Extent>> next() override {
    while (true) {
      const std::optional<Extent> got = TRY(inner_->next());
      if (!got) return std::exchange(pending_, std::nullopt);
      const std::uint64_t start = round_down(got->start, kMapUnitBytes);
      const std::uint64_t end = std::min(round_up(got->end(), kMapUnitBytes), limit_);
      if (pending_ && start <= pending_->end()) {
        pending_->length = std::max(pending_->end(), end) - pending_->start;
        continue;
      }
      std::optional<Extent> ready = std::exchange(pending_, Extent{start, end - start});
      if (ready) return ready;
    }
  }

 private:
  std::unique_ptr<ExtentStream> inner_;
  std::uint64_t limit_;
  std::optional<Extent> pending_;
};

Result<std::uint64_t> count_bytes(ExtentStream& stream, const CancelToken& cancel) {
  std::uint64_t total = 0;
  while (const std::optional<Extent> extent = TRY(stream.next())) {
    total += extent->length;
    TRY(cancel.check());
  }
  return total;
}

Extent bytes_of(const Partition& partition, const Layout& layout) {
  return {partition.start_sector * layout.sector_bytes, partition.sector_count * layout.sector_bytes};
}

SourceArea make_area(const AreaChoice& request, AreaKind kind, std::uint32_t partition, Extent bytes, std::string name) {
  SourceArea source;
  source.area.kind = kind;
  source.area.partition = partition;
  source.area.start_byte = bytes.start;
  source.area.size_bytes = bytes.length;
  source.drive = make_slice(request.drive, bytes, std::move(name));
  return source;
}

void save_everything(SourceArea& source, FsType type, std::string warning) {
  source.file_system = make_unknown_file_system(*source.drive, type, std::move(warning));
  source.area.fs = source.file_system->info();
  source.area.left_out.clear();
}

Result<void> leave_out_files(SourceArea& source, const AreaChoice& request) {
  Result<std::vector<LeftOutFile>> files = source.file_system->left_out_files();
  if (!files && is_unreadable(files.error())) return {};  // saved like any other file
  for (LeftOutFile& file : TRY(std::move(files))) {
    const bool wanted = file.kind == LeftOutFile::Kind::page ? request.skip_page_files : request.skip_hibernation_files;
    if (wanted) source.area.left_out.push_back(std::move(file));
  }
  return {};
}

// Finds the file system of the area and counts what it uses.
Result<void> examine(SourceArea& source, const AreaChoice& request, Events& events, const CancelToken& cancel, const std::string& name) {
  source.area.raw = request.raw;
  if (request.raw) {
    save_everything(source, FsType::unknown, "all sectors were asked for");
  } else {
    Result<std::unique_ptr<FileSystem>> opened = open_file_system(source.drive);
    if (opened) {
      source.file_system = std::move(*opened);
      source.area.fs = source.file_system->info();
    } else if (is_unreadable(opened.error())) {
      // Whether bad sectors end the backup is asked, or known, when they are read.
      save_everything(source, FsType::unknown, "its first sectors cannot be read: all sectors are saved");
    } else {
      return fail(std::move(opened).error());
    }
    if (!source.area.fs.warning.empty()) events.warn(fmt::format("{}: {}", name, printable(source.area.fs.warning)));
    if (source.area.fs.used_map_known) TRY(leave_out_files(source, request));
  }
  Result<std::uint64_t> counted = std::uint64_t{0};
  {
    Result<std::unique_ptr<ExtentStream>> map = source.used_map();
    if (map)
      counted = count_bytes(**map, cancel);
    else
      counted = std::unexpected(map.error());
  }
  if (!counted && counted.error().code == ErrorCode::cancelled) return fail(std::move(counted).error());
  if (!counted) {
    events.warn(fmt::format("{}: its used map is damaged, all sectors are saved ({})", name, counted.error().message()));
    save_everything(source, source.area.fs.type, "the used map is damaged: all sectors are saved");
    counted = source.area.size_bytes;
  }
  source.used_bytes = *counted;
  return {};
}

Result<void> check_ids(const AreaChoice& request) {
  for (const std::uint32_t id : request.partitions) {
    const Partition* found = request.layout.find(id);
    if (found != nullptr && !found->extended) continue;
    std::string there;
    for (const Partition& p : request.layout.partitions)
      if (!p.extended) there += (there.empty() ? "" : ", ") + p.id_text(request.layout.kind);
    if (found != nullptr)
      return fail(ErrorCode::usage, fmt::format("partition {} of {} is an extended partition, which holds no data itself", found->id_text(request.layout.kind), request.drive->info().path),
                  fmt::format("choose its volumes; there are {}", there));
    return fail(ErrorCode::not_found, fmt::format("{} has no partition {:#x}", request.drive->info().path, id),
                there.empty() ? "it has no partitions: leave out the partition to save the drive" : fmt::format("there are {}", there));
  }
  return {};
}

bool covers_more_than_itself(const Partition& p, const Layout& layout) {
  const auto meets = [&](std::uint64_t start, std::uint64_t end) { return start < p.end_sector() && p.start_sector < end; };
  for (const TableSectors& table : layout.table_sectors)
    if (meets(table.start_sector, table.start_sector + table.bytes.size() / layout.sector_bytes)) return true;
  for (const Partition& other : layout.partitions)
    if (!other.extended && other.id != p.id && meets(other.start_sector, other.end_sector())) return true;
  return false;
}

// Why the partitions do not tell where all data lies; empty if they do.
std::string why_whole(const Layout& layout) {
  if (layout.kind == TableKind::none) return "no partition table";
  if (layout.partitions.empty()) return "the partition table has no partitions";
  for (const Partition& p : layout.partitions)
    if (p.leaves_drive) return "a partition reaches beyond the end of the drive";
  for (const Partition& p : layout.partitions) {
    // The database of dynamic disks lies behind the last partition of an MBR drive.
    if (layout.kind == TableKind::mbr && p.mbr_type == 0x42) return "it is a dynamic disk";
    if (!p.extended && covers_more_than_itself(p, layout)) return fmt::format("partition {} overlaps others or the table", p.id_text(layout.kind));
  }
  // A GPT has two copies: with one of them sound it still tells where everything is.
  if (layout.kind != TableKind::gpt && !layout.problems.empty()) return layout.problems.front();
  return {};
}

// Whether the drive, as an image can be, holds nothing of the range.
bool is_not_saved(Drive& drive, Extent range) {
  while (range.length > 0) {
    const Result<BlockStatus> status = drive.status(range.start, range.length);
    if (!status || status->state != BlockState::not_saved || status->extent.length == 0) return false;
    range = {status->extent.end(), range.end() - status->extent.end()};
  }
  return true;
}

bool is_not_saved(Drive& drive, const Partition& partition, const Layout& layout) {
  const Extent range = bytes_of(partition, layout);
  return range.length > 0 && fits(range.start, range.length, drive.size_bytes()) && is_not_saved(drive, range);
}

Result<void> check_all_is_saved(const AreaChoice& request) {
  for (const Partition& p : request.layout.partitions)
    if (!p.extended && !p.leaves_drive && is_not_saved(*request.drive, p, request.layout))
      return fail(ErrorCode::usage, fmt::format("{} does not hold the whole drive: partition {} is not in it", request.drive->info().path, p.id_text(request.layout.kind)),
                  "take single partitions");
  return {};
}

}  // namespace

AreaChoice choice_of(const BackupRequest& request) {
  return {request.drive, request.layout, request.partitions, request.raw, request.skip_page_files, request.skip_hibernation_files};
}

SourceView view_of(const AreaChoice& choice, const std::vector<SourceArea>& areas) {
  SourceView view{.words = "the source", .drive = choice.drive->info(), .layout = choice.layout, .areas = {}};
  for (const SourceArea& source : areas) {
    view.areas.push_back(source.area);
    view.areas.back().used_bytes = source.used_bytes;
  }
  return view;
}

Result<std::unique_ptr<ExtentStream>> SourceArea::used_map() const {
  if (!file_system) return stream_of(ExtentSet({{0, area.size_bytes}}));
  std::unique_ptr<ExtentStream> map = coalesced(TRY(file_system->used_map()), area.size_bytes);
  ExtentSet holes;
  for (const LeftOutFile& file : area.left_out)
    for (const Extent& extent : file.extents.items()) holes.add(extent);
  map = without(std::move(map), std::move(holes));
  return std::make_unique<UnitStream>(std::move(map), area.size_bytes);
}

std::string describe(const Area& area, const Layout& layout) {
  if (area.kind == AreaKind::first_track) return "the first track";
  std::string what = to_string(area.fs.type);
  if (!area.fs.label.empty()) what += ", " + printable(area.fs.label);
  if (area.kind == AreaKind::drive) return fmt::format("the drive ({})", what);
  const Partition* partition = layout.find(area.partition);
  const std::string id = partition != nullptr ? partition->id_text(layout.kind) : fmt::format("{:#x}", area.partition);
  return fmt::format("partition {} ({})", id, what);
}

Result<std::vector<SourceArea>> choose_areas(const AreaChoice& request, Events& events, const CancelToken& cancel) {
  const Layout& layout = request.layout;
  const std::string& path = request.drive->info().path;
  std::vector<SourceArea> areas;
  std::vector<std::uint32_t> wanted = request.partitions;
  // Partition 0 is the whole of a drive without a table.
  if (layout.kind == TableKind::none) std::erase(wanted, 0U);
  const std::string whole = wanted.empty() ? why_whole(layout) : "";
  if (wanted.empty() && (request.raw || !whole.empty())) {
    TRY(check_all_is_saved(request));
    if (!request.raw && layout.kind != TableKind::none)
      events.warn(fmt::format("{}: {}; the whole drive is saved", path, whole));
    areas.push_back(make_area(request, AreaKind::drive, 0, {0, request.drive->size_bytes()}, path));
    if (layout.kind == TableKind::none || request.raw) {
      TRY(examine(areas.back(), request, events, cancel, path));
    } else {
      save_everything(areas.back(), FsType::unknown, whole);
      areas.back().used_bytes = areas.back().area.size_bytes;
    }
    return areas;
  }
  AreaChoice checked = request;
  checked.partitions = wanted;
  TRY(check_ids(checked));
  if (const std::uint64_t sectors = layout.first_track_sectors(); sectors > 0) {
    const Extent bytes{0, std::min(sectors * layout.sector_bytes, request.drive->size_bytes())};
    areas.push_back(make_area(request, AreaKind::first_track, 0, bytes, path));
    areas.back().used_bytes = bytes.length;
  }
  for (const Partition& partition : layout.partitions) {
    if (partition.extended) continue;
    if (partition.leaves_drive) {
      if (wanted.empty()) continue;
      if (std::find(wanted.begin(), wanted.end(), partition.id) == wanted.end()) continue;
      return fail(ErrorCode::out_of_bounds, fmt::format("partition {} reaches beyond the end of {}", partition.id_text(layout.kind), path),
                  "save the whole drive instead");
    }
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), partition.id) == wanted.end()) continue;
    const std::string name = fmt::format("{}@{}", path, partition.id_text(layout.kind));
    if (is_not_saved(*request.drive, partition, layout)) {
      if (wanted.empty()) continue;
      return fail(ErrorCode::not_found, fmt::format("{} is not in the image", name), "tintype list --file shows what is");
    }
    areas.push_back(make_area(request, AreaKind::partition, partition.id, bytes_of(partition, layout), name));
    TRY(examine(areas.back(), request, events, cancel, name));
  }
  return areas;
}

}  // namespace tintype
