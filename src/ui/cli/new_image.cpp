// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/new_image.h"

#include <fmt/format.h>

#include <filesystem>

#include "image/part_names.h"
#include "naming/image_name.h"
#include "naming/suggest_name.h"
#include "ui/cli/tuning.h"

namespace tintype::cli {
namespace {

bool is_folder(const ImageName& name) {
  std::error_code ec;
  const std::string& path = name.path;
  if (name.kind == ImageName::Kind::partition) return path.empty() || path.ends_with('/') || path.ends_with('\\');
  return path.ends_with('/') || std::filesystem::is_directory(path, ec);
}

}  // namespace

Result<std::string> new_image_path(const options::ParsedCommand& command, const ResolvedDrive& source,
                                   std::optional<std::uint32_t> only) {
  ImageName name = TRY(parse_image_name(*command.text("file")));
  const bool inside = name.kind == ImageName::Kind::partition;
  if (name.kind != ImageName::Kind::local && !inside) return resolve_image_path(name, ImageUse::write);
  if (is_folder(name)) {
    SuggestedName what{.drive_number = {}, .drive_path = source.drive->info().path, .partition = only,
                       .changes_only = command.has("base"), .moment = command.moment};
    if (source.listed) what.drive_number = source.listed->number;
    if (!only && source.partitions.size() == 1 && source.partitions.front() != 0) what.partition = source.partitions.front();
    const bool ends = name.path.ends_with('/') || (inside && name.path.ends_with('\\'));
    const std::string folder = ends ? name.path : name.path + "/";
    std::unique_ptr<Place> place;
    if (inside) place = TRY(open_any_place(name.text, command.flag("make-dir")));
    const std::string found = suggest_image_name(what, [&](const std::string& suggested) {
      const std::string file = suggested + ".tti", path = folder + file;
      if (place) return place->exists(file).value_or(false) || place->exists(partial_name(file, 0)).value_or(false);
      return file_exists(path) || file_exists(partial_name(path, 0));
    });
    if (inside) name.text = inside_text(name, folder + found);
    name.path = folder + found;
    return resolve_image_path(name, ImageUse::write);
  }
  if (!only) return resolve_image_path(name, ImageUse::write);
  const std::string whole = TRY(resolve_image_path(name, ImageUse::write));
  const std::size_t extension = whole.size() - std::string_view(".tti").size();
  return fmt::format("{}-{}{}", whole.substr(0, extension), partition_word(*only), whole.substr(extension));
}

}  // namespace tintype::cli
