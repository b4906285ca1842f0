// SPDX-License-Identifier: GPL-3.0-or-later
#include "naming/source_name.h"

#include <fmt/format.h>

#include <optional>

#include "base/text.h"
#include "drive/foreign/foreign.h"
#include "naming/image_name.h"

namespace tintype {
namespace {

std::optional<std::string> existing_image(const std::string& text, const IsImage& is_image) {
  const Result<ImageName> name = parse_image_name(text);
  if (!name || (name->kind != ImageName::Kind::local && name->kind != ImageName::Kind::partition)) return std::nullopt;
  const Result<std::string> path = resolve_image_path(*name, ImageUse::read);
  if (path && is_image(*path)) return *path;
  // A drive file "pc" beside an image "pc.tti" does not hide it.
  if (path && *path == text && file_exists(text + ".tti") && is_image(text + ".tti")) return text + ".tti";
  return std::nullopt;
}

}  // namespace

Result<SourceName> parse_source_name(const std::string& text, const IsImage& is_image) {
  SourceName source;
  if (const std::optional<std::string> whole = existing_image(text, is_image)) {
    source.image = *whole;
    return source;
  }
  const std::size_t at = text.rfind('@');
  if (at != std::string::npos && at != 0) {
    if (const std::optional<std::string> front = existing_image(text.substr(0, at), is_image)) {
      source.image = *front;
      source.partitions = TRY(parse_partition_ids(text.substr(at + 1)));
    }
  }
  if (source.image.empty()) {
    const Result<ImageName> inside = parse_image_name(text);
    if (inside && inside->kind == ImageName::Kind::partition) {
      TRY(resolve_image_path(*inside, ImageUse::read));
      return fail(ErrorCode::usage, fmt::format("{} is no image", printable(text)));
    }
    source.drive = TRY(parse_drive_name(text));
    source.partitions = source.drive.partitions;
    if (source.drive.kind == DriveName::Kind::path && !file_exists(source.drive.word) && !is_foreign(source.drive.word))
      return fail(ErrorCode::not_found, fmt::format("there is no image or drive {} or {}.tti", printable(source.drive.word), printable(source.drive.word)));
  }
  if (source.partitions.size() > 1) return fail(ErrorCode::usage, fmt::format("'{}' names more than one partition", printable(text)), "name one");
  return source;
}

}  // namespace tintype
