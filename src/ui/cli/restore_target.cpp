// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/restore_target.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "drive/foreign/foreign.h"
#include "drive/open.h"
#include "naming/image_name.h"
#include "ui/cli/drive_checks.h"
#include "ui/cli/virtual_drives.h"

namespace tintype::cli {
namespace {

RestoreTarget new_file(const std::string& path, const SourceView& image, const NewDrive& wanted) {
  RestoreTarget target;
  target.path = path;
  target.is_new = true;
  target.format = wanted.format.value_or(format_of_name(path).value_or(DriveFormat::raw));
  target.info.path = path;
  target.info.size_bytes = wanted.size_bytes.value_or(image.drive.size_bytes);
  target.info.logical_sector_bytes = image.drive.logical_sector_bytes;
  target.info.physical_sector_bytes = image.drive.logical_sector_bytes;
  target.layout.sector_bytes = image.drive.logical_sector_bytes;
  target.layout.drive_sectors = target.info.size_bytes / image.drive.logical_sector_bytes;
  const std::string kind = target.format == DriveFormat::raw ? "file" : fmt::format("virtual drive ({})", to_string(target.format));
  target.text = fmt::format("the new {} {}, {}", kind, printable(path), format_size(target.info.size_bytes));
  return target;
}

// What its definition says of a virtual drive that is yet to be made; nothing if it is there and stays.
Result<std::optional<RestoreTarget>> new_virtual(const DriveName& name, const SourceView& image) {
  const VirtualDrives& defined = this_machine().virtual_drives();
  const auto found = defined.find(name.number);
  if (found == defined.end() || !found->second.creation) return std::nullopt;
  const VirtualDrive::Creation& creation = *found->second.creation;
  const bool there = file_exists(found->second.path);
  if (there && !creation.anew) return std::nullopt;
  TRY(check_defined_name(found->second.path, creation.format));
  if (!name.partitions.empty())
    return fail(ErrorCode::usage, fmt::format("v{} is yet to be made and has no partitions", name.number), "leave out what follows '@'");
  RestoreTarget target = new_file(found->second.path, image, {creation.size_bytes, creation.format});
  target.replace = there;
  return target;
}

}  // namespace

NewDrive new_drive(const options::ParsedCommand& command) {
  NewDrive out;
  out.size_bytes = command.number("create");
  if (const std::optional<std::uint64_t> type = command.number("type")) out.format = static_cast<DriveFormat>(*type);
  return out;
}

Result<RestoreTarget> find_target(std::vector<std::string> names, const SourceView& image, const NewDrive& wanted) {
  if (names.empty()) names.push_back("#");
  if (names.size() > 1) return fail(ErrorCode::usage, "there can be only one target", "name it once, with at most one partition");
  const DriveName name = TRY(parse_drive_name(names.front()));
  if (name.kind == DriveName::Kind::path && is_foreign(name.word))
    return fail(ErrorCode::refused, fmt::format("{} is an image of another program and can only be read", printable(name.word)),
                "name another target, or delete it first");
  if (name.kind == DriveName::Kind::path && name.partitions.empty() && !file_exists(name.word)) {
    RestoreTarget target = new_file(name.word, image, wanted);
    TRY(check_new_name(target.path, target.format));
    return target;
  }
  if (name.kind == DriveName::Kind::virtual_drive)
    if (std::optional<RestoreTarget> made = TRY(new_virtual(name, image))) return std::move(*made);
  const ResolveOptions options{.open = {.sector_bytes = 0}, .image_signature = image.layout.signature_text()};
  ResolvedDrive found = TRY(resolve(name, this_machine(), options));
  const bool same_sectors = found.drive->info().logical_sector_bytes == image.drive.logical_sector_bytes;
  if (!same_sectors && found.layout.kind == TableKind::none && !found.listed) {
    // A raw file without a table does not tell its sector size: the image's is as good as any.
    OpenOptions with_size{.sector_bytes = image.drive.logical_sector_bytes};
    if (Result<std::shared_ptr<Drive>> again = this_machine().open(found.drive->info().path, with_size)) {
      found.drive = std::move(again).take();
      found.layout = TRY(read_layout(*found.drive));
    }
  }
  if (found.partitions.size() > 1) return fail(ErrorCode::usage, "there can be only one target partition", "name one");
  // The same command again, to go on with what was cut off, asks for what is there.
  if (wanted.size_bytes && *wanted.size_bytes != found.drive->size_bytes())
    return fail(ErrorCode::exists, fmt::format("{} is there already and has {}, so --create cannot make it", printable(found.drive->info().path), format_size(found.drive->size_bytes())),
                "leave out --create, or name a target that is yet to be made");
  RestoreTarget target;
  target.info = found.drive->info();
  target.path = target.info.path;
  target.layout = found.layout;
  target.partition_named = !found.partitions.empty();
  if (target.partition_named) target.partition = found.partitions.front();
  target.words = words_for_target(found);
  target.text = found.listed ? found.listed->text() : fmt::format("{}, {}", printable(target.path), format_size(target.info.size_bytes));
  return target;
}

Result<RestoreOptions> placement_of(const options::ParsedCommand& command, const SourceView& image, const RestoreTarget& target) {
  RestoreOptions options;
  const SourceView::Held held = image.held();
  const bool first_fit = command.flag("first-fit");
  if (const auto wanted = command.number("source-partition")) {
    options.partition = static_cast<std::uint32_t>(*wanted);
  } else if (target.partition_named || first_fit || !held.whole_drive) {
    // A file system that fills its drive can go where a partition is.
    const bool bare = image.layout.kind == TableKind::none;
    if (!bare && held.partitions.size() != 1)
      return fail(ErrorCode::usage, held.partitions.empty() ? "the image holds no single partitions" : "the image holds several partitions",
                  held.partitions.empty() ? "restore the whole drive" : "say which with --source-partition; list --file shows them");
    options.partition = bare ? 0 : held.partitions.front();
  }
  if (target.partition_named) {
    if (first_fit || command.flag("original-place"))
      return fail(ErrorCode::usage, "a target partition is named, and another place is asked for", "leave out one of the two");
    options.where = RestoreOptions::Where::partition;
    options.target_partition = target.partition;
  } else if (first_fit) {
    options.where = RestoreOptions::Where::free_space;
  }
  if (command.flag("restore-first-track")) options.first_track_sectors = command.number("first-track-sectors").value_or(0);
  return options;
}

Result<std::shared_ptr<Drive>> open_target(const RestoreTarget& target, bool exclusive, const CacheUse& cache) {
  if (target.is_new)
    return create_drive_file(target.path, target.info.size_bytes, target.format,
                             {.replace = target.replace, .lock = true, .cache = cache, .sector_bytes = target.info.logical_sector_bytes});
  std::shared_ptr<Drive> drive = TRY(this_machine().open(target.path, {.access = OpenOptions::Access::write,
                                                              .exclusive = exclusive,
                                                              .lock = true,
                                                              .cache = cache,
                                                              .sector_bytes = target.info.logical_sector_bytes}));
  const Layout now = TRY(read_layout(*drive, target.layout.sector_bytes));
  const bool same = drive->size_bytes() == target.info.size_bytes && now.kind == target.layout.kind &&
                    now.table_sectors == target.layout.table_sectors && now.partitions == target.layout.partitions;
  if (same) return drive;
  return fail(ErrorCode::refused, fmt::format("the partition table of {} changed while everything was prepared", printable(target.path)),
              "nothing was written; look at it with tintype list and start again");
}

}  // namespace tintype::cli
