// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/drive_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "job/list.h"
#include "ui/cli/inside_place.h"

namespace tintype::cli {
namespace {

// True if bytes can change under a reader. A loop device that nothing is mounted from writes nothing by itself.
bool writes(const Use& use) { return !use.read_only && use.kind != Use::Kind::loop; }

bool exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

// Whether two paths lead to the same bytes. What cannot be found out does not count as the same.
bool same_bytes(const std::string& a, const std::string& b) {
  if (!exists(a) || !exists(b)) return false;
  const Result<Location> one = location_of(a), other = location_of(b);
  return one && other && one->overlaps(*other);
}

std::string partition_words(const PartitionListing& partition, const DriveListing& drive) {
  const FsInfo& fs = partition.fs;
  const bool known = partition.looked_at && fs.type != FsType::unknown;
  std::string text = known ? to_string(fs.type) : "unknown content";
  if (!fs.label.empty()) text += fmt::format(" \"{}\"", printable(fs.label));
  text += ", " + format_size(checked_mul(partition.entry.sector_count, drive.layout.sector_bytes).value_or(0));
  if (known) text += fmt::format(", {} used", format_size(fs.used_bytes));
  for (const std::string& point : partition.mount_points) text += fmt::format(", mounted on {}", printable(point));
  return text;
}

// `what` is written to `path`: an image or a copy.
Result<SourceUse> use_of_source(const ResolvedDrive& source, const std::string& path, const std::string& what, bool allow_in_use) {
  std::vector<Use> uses;
  const std::string& drive = source.drive->info().path;
  if (exists(drive)) uses = TRY(find_uses(drive));  // a disk of a Clonezilla folder is opened, but no path of the system
  const ExtentSet bytes = chosen_bytes(source);
  SourceUse result;
  result.exclusive = uses.empty();
  for (const Use& use : uses) {
    if (!bytes.intersects(use.extent)) continue;
    if (holds_file(use, path))
      return fail(ErrorCode::refused, fmt::format("the {} {} would be written into its own source: {}", what, printable(path), printable(use.text())),
                  "put it on another partition");
    if (use.kind == Use::Kind::mount && use.read_only && result.consistency == "offline") result.consistency = "read-only";
    if (!writes(use)) continue;
    if (!allow_in_use)
      return fail(ErrorCode::busy, fmt::format("the source is in use: {}", printable(use.text())),
                  fmt::format("unmount it, or use --allow-in-use if {} {} that is not of one point in time will do", what == "image" ? "an" : "a", what));
    result.consistency = "in-use";
  }
  return result;
}

// Two names of one object: whether what is read of it and the partition overlap.
bool source_meets(const ResolvedDrive& source, const InsidePart& inside) {
  std::uint64_t from = 0, to = 0;
  if (source.drive->info().path != inside.drive_path) {
    const Result<Location> read = location_of(source.drive->info().path), written = location_of(inside.drive_path);
    if (!read || !written) return true;
    from = read->extent.start;
    to = written->extent.start;
  }
  const ExtentSet chosen = chosen_bytes(source);
  for (const Extent& bytes : chosen.items())
    if (from + bytes.start < to + inside.extent.end() && to + inside.extent.start < from + bytes.end()) return true;
  return false;
}

// Whether what is written to a drive meets the partition that an image lies in.
bool target_meets(const std::string& target_path, const RestorePlan& plan, const InsidePart& inside) {
  const Result<Location> target = location_of(target_path), image = location_of(inside.drive_path);
  if (!target || !image || target->object != image->object) return target_path == inside.drive_path && plan.touched.intersects(inside.extent);
  for (const Extent& bytes : plan.touched.items())
    if (target->extent.start + bytes.start < image->extent.start + inside.extent.end() && image->extent.start + inside.extent.start < target->extent.start + bytes.end()) return true;
  return false;
}

}  // namespace

ExtentSet chosen_bytes(const ResolvedDrive& source) {
  const std::uint64_t size = source.drive->size_bytes();
  ExtentSet bytes;
  for (const std::uint32_t id : source.partitions) {
    const Partition* partition = source.layout.find(id);
    const auto start = partition != nullptr ? checked_mul(partition->start_sector, source.layout.sector_bytes) : std::nullopt;
    const auto length = partition != nullptr ? checked_mul(partition->sector_count, source.layout.sector_bytes) : std::nullopt;
    if (start && length && *length != 0 && fits(*start, *length, size)) bytes.add({*start, *length});
    else bytes.add({0, size});
  }
  if (source.partitions.empty() && size != 0) bytes.add({0, size});
  return bytes;
}

Result<SourceUse> check_source(const ResolvedDrive& source, const std::string& image_path, bool allow_in_use) {
  if (const auto inside = TRY(find_inside_part(image_path))) {
    const bool same = source.drive->info().path == inside->drive_path || kinship(source.drive->info().path, inside->drive_path).same_object;
    if (same && source_meets(source, *inside))
      return fail(ErrorCode::refused, fmt::format("the image {} would be written into its own source", printable(image_path)), "put it on another partition");
    if (same && !source.drive->info().format.empty())
      return fail(ErrorCode::refused, fmt::format("{} is the source and holds the image too, and a virtual drive is opened only once", printable(inside->drive_path)),
                  "put the image elsewhere, or convert the drive to raw (tintype convert) first");
    SourceUse use = TRY(use_of_source(source, inside->drive_path, "image", allow_in_use));
    use.shared_with_image = same;
    return use;
  }
  if (same_bytes(source.drive->info().path, image_path))
    return fail(ErrorCode::refused, fmt::format("{} is the source itself", printable(image_path)), "give the image another name");
  return use_of_source(source, image_path, "image", allow_in_use);
}

Result<SourceUse> check_copy_source(const ResolvedDrive& source, const std::string& target_path, bool allow_in_use) {
  return use_of_source(source, target_path, "copy", allow_in_use);
}

Kinship kinship(const std::string& source_path, const std::string& target_path) {
  if (!exists(source_path) || !exists(target_path)) return {};
  const Result<Location> from = location_of(source_path), to = location_of(target_path);
  if (!from || !to || from->object != to->object) return {};
  return {true, from->extent == to->extent};
}

Result<void> check_overlap(const SourceView& source, const std::string& target_path, const RestorePlan& plan) {
  const Location from = TRY(location_of(source.drive.path)), to = TRY(location_of(target_path));
  ExtentSet read;
  for (const CopyStep& step : plan.copies) read.add({from.extent.start + source.areas[step.area].start_byte, source.areas[step.area].size_bytes});
  for (const Extent& written : plan.touched.items())
    if (read.intersects({to.extent.start + written.start, written.length}))
      return fail(ErrorCode::refused, fmt::format("the copy would be written over its own source, {}", printable(source.drive.path)), "choose another target");
  return {};
}

Result<TargetUse> check_target(const std::string& target_path, const RestorePlan& plan, const std::vector<std::string>& image_files) {
  for (const std::string& file : image_files)
    if (const auto inside = TRY(find_inside_part(file)); inside && target_meets(target_path, plan, *inside))
      return fail(ErrorCode::refused, fmt::format("the image {} lies in the partition that would be overwritten", printable(file)), "copy it elsewhere first");
  for (const std::string& file : image_files)
    if (same_bytes(target_path, file))
      return fail(ErrorCode::refused, fmt::format("the target {} holds the image itself", printable(target_path)), "choose another target");
  const std::vector<Use> uses = TRY(find_uses(target_path));
  std::vector<Use> harmed = uses;
  std::erase_if(harmed, [&](const Use& use) { return !plan.touched.intersects(use.extent); });
  // The image counts more than that something is mounted, which can be undone.
  for (const Use& use : harmed)
    for (const std::string& file : image_files)
      if (holds_file(use, file))
        return fail(ErrorCode::refused, fmt::format("the image {} lies on what would be overwritten: {}", printable(file), printable(use.text())),
                    "copy it elsewhere first");
  if (harmed.empty()) return TargetUse{.exclusive = uses.empty()};
  const bool mounted = harmed.front().kind == Use::Kind::mount;
  return fail(ErrorCode::busy, fmt::format("the target is in use: {}", printable(harmed.front().text())),
              mounted ? "unmount it first" : "stop using it first");
}

TargetWords words_for_target(const ResolvedDrive& target) {
  const DriveListing listing = list_drive(target);
  TargetWords words;
  for (const PartitionListing& partition : listing.partitions)
    words[partition.entry.id] = partition_words(partition, listing);
  return words;
}

}  // namespace tintype::cli
