// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/copy_source.h"

#include <filesystem>

#include "image/image_drive.h"
#include "image/part_names.h"
#include "naming/image_name.h"
#include "naming/source_name.h"

namespace tintype::cli {
namespace {

// In a partition that is not mounted.
bool is_inside(const std::string& path) {
  const Result<ImageName> name = parse_image_name(path);
  return name && name->kind == ImageName::Kind::partition;
}

}  // namespace

bool is_image(const std::string& path, Session& session) {
  std::error_code error;
  if (!is_inside(path) && !std::filesystem::is_regular_file(path, error)) return false;
  const SplitPath split = split_path(path);
  const Result<std::shared_ptr<Place>> place = session.tuning().open_place(split.folder);
  return place && read_part_header(**place, split.name).has_value();
}

Result<CopySource> find_copy_source(Session& session) {
  const std::string text = *session.command().text("source-drive");
  DriveName name;
  if (is_inside(text)) {
    const SourceName inside = TRY(parse_source_name(text, [&](const std::string& path) { return is_image(path, session); }));
    name.word = inside.image;
    name.partitions = inside.partitions;
  } else {
    name = TRY(parse_drive_name(text));
    if (name.kind == DriveName::Kind::path && !file_exists(name.word) && is_image(name.word + ".tti", session)) name.word += ".tti";
  }
  if (name.partitions.size() > 1)
    return fail(ErrorCode::usage, "a copy takes one partition, or the whole drive", "copy the partitions one after the other");
  CopySource source;
  if (name.kind != DriveName::Kind::path || !is_image(name.word, session)) {
    source.found = TRY(resolve(name, this_machine()));
    return source;
  }
  source.image = TRY(open_image(name.word, session));
  TRY(require_chain(*source.image));
  source.found.drive = make_image_drive(source.image->reader, {.name = source.image->path});
  source.found.layout = source.image->reader->catalog().layout;
  source.found.partitions = name.partitions;
  return source;
}

}  // namespace tintype::cli
