// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/backup_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "job/base_match.h"
#include "job/list.h"
#include "ui/cli/open_image.h"

namespace tintype::cli {
namespace {

bool holds_whole_drive(const Catalog& image) {
  return std::ranges::all_of(image.layout.partitions, [&](const Partition& partition) {
    return partition.extended || std::ranges::any_of(image.areas, [&](const Area& area) {
             return area.kind == AreaKind::drive || (area.kind == AreaKind::partition && area.partition == partition.id);
           });
  });
}

// A drive as images remember it: a raw file is told by its path from anywhere. (Images of older versions may have it as it was typed.)
DriveInfo as_remembered(DriveInfo drive, const Catalog& base) {
  if (base.source.path.starts_with('/')) drive.path = absolute_path(drive.path);
  return drive;
}

// The partitions of the drive whose earlier state the base holds. Error{not_found} if some are gone: to leave them out, or to save the
// whole drive in their place, is not ours to choose.
Result<std::vector<std::uint32_t>> partitions_in(const Catalog& base, const ResolvedDrive& source) {
  if (holds_whole_drive(base)) return std::vector<std::uint32_t>();
  std::vector<Area> areas;
  for (const PartitionListing& partition : list_drive(source).partitions) {
    if (partition.entry.extended) continue;
    Area area;
    area.partition = partition.entry.id;
    area.start_byte = partition.entry.start_sector * source.layout.sector_bytes;
    area.fs = partition.fs;
    areas.push_back(std::move(area));
  }
  const std::vector<std::optional<std::size_t>> matched = match_areas(base, areas, source.layout);
  std::vector<std::uint32_t> ids;
  for (std::size_t i = 0; i < areas.size(); ++i)
    if (matched[i]) ids.push_back(areas[i].partition);
  const auto saved = std::ranges::count(base.areas, AreaKind::partition, &Area::kind);
  if (static_cast<std::ptrdiff_t>(ids.size()) == saved) return ids;
  return fail(ErrorCode::not_found,
              fmt::format("the base holds {} partitions of {}, which has only {} of them now", saved, printable(source.drive->info().path), ids.size()),
              "name what is to be saved with --drive");
}

std::string words_for(const Catalog& base) {
  std::string text = printable(base.source.path);
  if (!base.source.model.empty()) text += ", " + printable(base.source.model);
  if (!base.source.serial.empty()) text += ", serial " + printable(base.source.serial);
  text += ", " + format_size(base.source.size_bytes);
  if (const std::string signature = base.layout.signature_text(); !signature.empty()) text += ", signature " + signature;
  return text;
}

}  // namespace

Result<ResolvedDrive> resolve_source(const std::vector<std::string>& names) {
  ResolvedDrive source = TRY(resolve(names.front(), this_machine()));
  for (std::size_t i = 1; i < names.size(); ++i) {
    ResolvedDrive more = TRY(resolve(names[i], this_machine()));
    if (more.drive->info().path != source.drive->info().path)
      return fail(ErrorCode::usage, fmt::format("{} and {} are on different drives", printable(names.front()), printable(names[i])),
                  "make one image for each drive");
    if (more.partitions.empty() || source.partitions.empty())
      return fail(ErrorCode::usage, fmt::format("{} already means the whole drive", printable(more.partitions.empty() ? names[i] : names.front())),
                  "name the drive once, or its partitions");
    for (const std::uint32_t id : more.partitions)
      if (std::ranges::find(source.partitions, id) == source.partitions.end()) source.partitions.push_back(id);
  }
  return source;
}

Result<ResolvedDrive> find_source_of(const Catalog& base, bool relaxed) {
  DriveName remembered;
  remembered.kind = DriveName::Kind::path;
  remembered.word = base.source.path;
  std::optional<ResolvedDrive> found;
  std::string why;  // the remembered one is not it
  if (Result<ResolvedDrive> there = resolve(remembered, this_machine())) {
    why = why_another_drive(base, as_remembered(there->drive->info(), base), there->layout, relaxed);
    if (why.empty()) found = std::move(*there);
    // A file at the very path, or a device with the very serial number: a clone elsewhere is not meant.
    const bool certain = found && (!found->listed || (!base.source.serial.empty() && found->drive->info().serial == base.source.serial));
    if (certain) {
      found->partitions = TRY(partitions_in(base, *found));
      return std::move(*found);
    }
  }
  for (const ListedDrive& listed : TRY(this_machine().drives())) {
    if (found && (listed.info.path == found->drive->info().path || listed.info.path == base.source.path)) continue;
    DriveName name;
    name.kind = DriveName::Kind::path;
    name.word = listed.info.path;
    Result<ResolvedDrive> candidate = resolve(name, this_machine());
    if (!candidate || !why_another_drive(base, candidate->drive->info(), candidate->layout, relaxed).empty()) continue;
    if (found)
      return fail(ErrorCode::usage, fmt::format("{} and {} can both be the source of the base", printable(found->drive->info().path), printable(listed.info.path)),
                  "name the one that is meant with --drive");
    found = std::move(*candidate);
  }
  if (!found)
    return fail(ErrorCode::not_found, fmt::format("the drive that the base was made of is not here ({}){}", words_for(base), why.empty() ? "" : "; " + printable(base.source.path) + ": " + why),
                "name it with --drive, or match it less strictly with --relaxed-matching");
  found->partitions = TRY(partitions_in(base, *found));
  return std::move(*found);
}

Result<void> check_source_of(const Catalog& base, const ResolvedDrive& source, bool relaxed) {
  const std::string why = why_another_drive(base, as_remembered(source.drive->info(), base), source.layout, relaxed);
  if (why.empty()) return {};
  return fail(ErrorCode::refused, fmt::format("{} is not the drive that the base was made of: {}", printable(source.drive->info().path), why),
              "name the right drive, or match it less strictly with --relaxed-matching");
}

bool is_raw_drive(const Catalog& base) {
  return base.areas.size() == 1 && base.areas.front().kind == AreaKind::drive && base.areas.front().raw;
}

}  // namespace tintype::cli
