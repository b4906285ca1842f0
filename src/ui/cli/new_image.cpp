// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/new_image.h"

#include <fmt/format.h>

#include <filesystem>

#include "image/part_names.h"
#include "naming/image_name.h"
#include "naming/suggest_name.h"

namespace tintype::cli {
namespace {

bool is_folder(const std::string& path) {
  std::error_code ec;
  return path.ends_with('/') || std::filesystem::is_directory(path, ec);
}

}  // namespace

Result<std::string> new_image_path(const options::ParsedCommand& command, const ResolvedDrive& source,
                                   std::optional<std::uint32_t> only) {
  ImageName name = TRY(parse_image_name(*command.text("file")));
  if (name.kind != ImageName::Kind::local) return resolve_image_path(name, ImageUse::write);
  if (is_folder(name.path)) {
    SuggestedName what{.drive_number = {}, .drive_path = source.drive->info().path, .partition = only,
                       .changes_only = command.has("base"), .moment = command.moment};
    if (source.listed) what.drive_number = source.listed->number;
    if (!only && source.partitions.size() == 1 && source.partitions.front() != 0) what.partition = source.partitions.front();
    const std::string folder = name.path.ends_with('/') ? name.path : name.path + "/";
    name.path = folder + suggest_image_name(what, [&](const std::string& suggested) {
      const std::string path = folder + suggested + ".tti";
      return file_exists(path) || file_exists(partial_name(path, 0));
    });
    return resolve_image_path(name, ImageUse::write);
  }
  if (!only) return resolve_image_path(name, ImageUse::write);
  const std::string whole = TRY(resolve_image_path(name, ImageUse::write));
  const std::size_t extension = whole.size() - std::string_view(".tti").size();
  return fmt::format("{}-{}{}", whole.substr(0, extension), partition_word(*only), whole.substr(extension));
}

}  // namespace tintype::cli
