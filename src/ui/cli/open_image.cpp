// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/open_image.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/text.h"
#include "drive/foreign/foreign.h"
#include "naming/image_name.h"
#include "naming/resolve.h"
#include "ui/cli/password.h"
#include "ui/cli/tuning.h"

namespace tintype::cli {
namespace {

Result<ImageName> inside_name(const std::string& folder) { return parse_image_name(folder.ends_with(':') ? folder + "/" : folder); }

}  // namespace

SplitPath split_path(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

std::string absolute_folder(const std::string& folder) {
  const Result<ImageName> name = inside_name(folder);
  if (name && name->kind == ImageName::Kind::partition) {
    const bool is_virtual = name->drive->kind == DriveName::Kind::virtual_drive;
    const auto& defined = this_machine().virtual_drives();
    const auto found = is_virtual ? defined.find(name->drive->number) : defined.end();
    const bool known = name->drive->kind == DriveName::Kind::path || found != defined.end();
    if (!known) return folder;
    return fmt::format("{}@{}:{}", absolute_path(found != defined.end() ? found->second.path : name->drive->word), name->drive->partitions.front(), name->path);
  }
  std::error_code error;
  const std::filesystem::path path = std::filesystem::canonical(folder, error);
  return error ? folder : path.string();
}

std::string absolute_path(const std::string& path) {
  const SplitPath split = split_path(path);
  return (std::filesystem::path(absolute_folder(split.folder)) / split.name).string();
}

Result<std::shared_ptr<Place>> open_remembered_folder(const std::string& folder) {
  const Result<ImageName> name = inside_name(folder);
  const bool inside = name && name->kind == ImageName::Kind::partition;
  if (!inside && !folder.starts_with('/')) return fail(ErrorCode::not_found, "no folder is remembered");
  return std::shared_ptr<Place>(TRY(open_any_place(folder)));
}

Result<std::vector<NamedImage>> named_bases(Session& session) {
  std::vector<NamedImage> named;
  for (const std::string& text : session.command().texts("base")) {
    const ImageName name = TRY(parse_image_name(text));
    const SplitPath split = split_path(TRY(resolve_image_path(name, ImageUse::read)));
    named.push_back({TRY(session.tuning().open_place(split.folder)), split.name});
  }
  return named;
}

Result<OpenedImage> open_image(const std::string& file, Session& session) {
  OpenedImage image;
  const ImageName name = TRY(parse_image_name(file));
  if (name.kind == ImageName::Kind::local && is_foreign(name.path))
    return fail(ErrorCode::unsupported, fmt::format("{} is an image of another program, which cannot be used here", printable(name.path)),
                fmt::format("restore, validate, copy, convert, ls and extract take it as it is; `tintype backup --drive {}` makes an image of it", printable(name.path)));
  image.path = TRY(resolve_image_path(name, ImageUse::read));
  const SplitPath split = split_path(image.path);
  image.name = split.name;
  image.place = TRY(session.tuning().open_place(split.folder));
  bool password_failed = false;
  const PasswordSource ask = password_to_read(session);
  const PasswordSource password = [&]() -> Result<std::string> {
    Result<std::string> given = ask();
    password_failed = !given;
    if (given) image.password = *given;
    return given;
  };
  Result<std::shared_ptr<ImageReader>> reader = ImageReader::open(
      image.place, image.name, password, std::make_shared<LinkFinder>(image.place, TRY(named_bases(session)), open_remembered_folder));
  if (!reader) {
    Error error = reader.error();
    // The image itself is there: what is not found now is one of its parts, or the file with the password.
    if (error.code == ErrorCode::not_found) error.code = password_failed ? ErrorCode::io : ErrorCode::corrupt;
    return fail(std::move(error));
  }
  image.reader = std::move(reader).take();
  return image;
}

Result<void> require_chain(OpenedImage& image) {
  Result<void> checked = image.reader->check_links();
  if (checked) return {};
  Error error = checked.error();
  if (error.code == ErrorCode::not_found) error.code = ErrorCode::corrupt;
  return fail(std::move(error));
}

}  // namespace tintype::cli
