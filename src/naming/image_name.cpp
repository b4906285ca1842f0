// SPDX-License-Identifier: GPL-3.0-or-later
#include "naming/image_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "fs/file_tree.h"
#include "naming/resolve.h"

namespace tintype {
namespace {

constexpr std::string_view kExtension = ".tti";

bool is_slash(char c) { return c == '/' || c == '\\'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool has_extension(std::string_view path) {
  return path.size() > kExtension.size() &&
         std::ranges::equal(path.substr(path.size() - kExtension.size()), kExtension,
                            [](char a, char b) { return lower(a) == b; });
}

// Whether the part in front of ":\" has one of the forms of a drive, so that a plain path with a colon stays a path.
bool looks_like_drive(std::string_view text) {
  if (text.starts_with('#')) return true;
  if (!text.empty() && (text[0] == 'w' || text[0] == 'v')) text.remove_prefix(1);
  const std::string_view number = text.substr(0, std::min(text.find('@'), text.size()));
  return !number.empty() && std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
}

// "disk.raw@1" in front of the colon: a file that is there, and a partition of it.
bool is_file_with_partition(const std::string& front, const FileExists& exists) {
  const std::size_t at = front.rfind('@');
  return at != std::string::npos && at > 0 && parse_partition_ids(front.substr(at + 1)).has_value() && exists(front.substr(0, at));
}

// "disk.raw@1:pc" would quietly become a file of that name beside the drive.
Result<void> check_no_partition(std::string_view text, const std::string& front, const FileExists& exists) {
  const std::size_t at = front.find('@');
  if (at != std::string::npos && looks_like_drive(front) ? !parse_partition_ids(front.substr(at + 1)) : !is_file_with_partition(front, exists)) return {};
  return fail(ErrorCode::usage, fmt::format("'{}' names a partition, but no path that begins with '/'", printable(text)),
              fmt::format("write {}:/{}", printable(front), front.size() + 1 < text.size() ? printable(text.substr(front.size() + 1)) : "name"));
}

}  // namespace

Result<ImageName> parse_image_name(std::string_view text, const FileExists& exists) {
  ImageName name{.kind = ImageName::Kind::local, .text = std::string(text), .path = std::string(text), .drive = {}};
  if (text.empty()) return fail(ErrorCode::usage, "the name of the image file is empty");
  if (text.size() > 4096) return fail(ErrorCode::usage, "the name of the image file is longer than 4096 characters");
  if (text.find('\0') != std::string_view::npos)
    return fail(ErrorCode::usage, "the name of the image file contains a zero byte");
  if (exists(name.text)) return name;
  if (text.starts_with("\\\\")) {
    name.kind = ImageName::Kind::share;
    return name;
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return name;
  if (colon + 1 >= text.size() || !is_slash(text[colon + 1])) {
    TRY(check_no_partition(text, std::string(text.substr(0, colon)), exists));
    return name;
  }
  std::string_view front = text.substr(0, colon);
  // w, v and # come first, o last (manual, table 3): "wo0", but "o0" alone, too.
  const std::size_t o = front.starts_with("wo") ? 1 : 0;
  std::string without_o(front);
  const bool optical = front.size() > o && front[o] == 'o' && (front.size() == o + 1 || looks_like_drive(front.substr(o + 1)));
  if (optical) without_o.erase(o, 1);
  if (optical && (without_o.empty() || without_o == "w")) {
    name.kind = ImageName::Kind::optical;
  } else if (optical || looks_like_drive(without_o) || is_file_with_partition(without_o, exists)) {
    name.drive = TRY(parse_drive_name(without_o, [](const std::string&) { return false; }));
    name.kind = optical ? ImageName::Kind::optical : ImageName::Kind::partition;
    if (!optical && name.drive->partitions.size() != 1)
      return fail(ErrorCode::usage, fmt::format("'{}' must name one partition", printable(text)), "write 0@1:\\path\\name");
  } else if (front.size() == 1) {
    name.kind = ImageName::Kind::letter;
  } else {
    return name;
  }
  name.path = text.substr(colon + 1);
  return name;
}

Result<std::shared_ptr<Drive>> open_partition_of(const ImageName& name, const OpenOptions& open) {
  ResolvedDrive found = TRY(resolve(*name.drive, this_machine(), {.open = open}));
  return open_partition(found.drive, found.layout, name.drive->partitions.front());
}

std::string inside_text(const ImageName& name, const std::string& path) {
  const std::size_t colon = name.text.size() - name.path.size();  // both end alike
  return name.text.substr(0, colon) + path;
}

namespace {

Result<std::string> resolve_inside(const ImageName& name, ImageUse use) {
  std::string path = name.path;
  std::ranges::replace(path, '\\', '/');
  if (path.ends_with('/')) return fail(ErrorCode::usage, fmt::format("'{}' is a folder", printable(name.text)), "add a name for the image file");
  const std::string extended = has_extension(path) ? path : path + std::string(kExtension);
  if (use == ImageUse::write) return inside_text(name, extended);
  const std::shared_ptr<Drive> partition = TRY(open_partition_of(name));
  const std::unique_ptr<FileTree> tree = TRY(open_file_tree(partition));
  for (const std::string& each : {path, extended}) {
    const Result<FileNode> node = find_node(*tree, each);
    if (node && node->kind == NodeKind::file) return inside_text(name, each);
    if (!node && node.error().code != ErrorCode::not_found) return fail(node.error());
  }
  return fail(ErrorCode::not_found, fmt::format("there is no image file {} in {}", printable(extended), printable(partition->info().path)),
              "tintype ls shows what is there");
}

}  // namespace

Result<std::string> resolve_image_path(const ImageName& name, ImageUse use) {
  const auto later = [&](const char* what) {
    return fail(ErrorCode::unsupported, fmt::format("'{}': {} cannot be used yet", printable(name.text), what),
                "mount it and give the path of the file");
  };
  switch (name.kind) {
    case ImageName::Kind::local: break;
    case ImageName::Kind::partition: return resolve_inside(name, use);
    case ImageName::Kind::optical: return later("optical drives");
    case ImageName::Kind::share: return later("shares by their network name");
    case ImageName::Kind::letter: return later("drive letters");
  }
  std::error_code ec;
  const std::string& path = name.path;
  const bool folder = path.ends_with('/') || path == "." || path == ".." ||
                      (has_extension(path) && std::filesystem::is_directory(path, ec));
  if (folder) return fail(ErrorCode::usage, fmt::format("'{}' is a folder", printable(path)), "add a name for the image file");
  const std::string extended = has_extension(path) ? path : path + std::string(kExtension);
  if (use == ImageUse::write) return extended;
  if (std::filesystem::exists(path, ec) && !std::filesystem::is_directory(path, ec)) return path;
  if (std::filesystem::exists(extended, ec)) return extended;
  return fail(ErrorCode::not_found,
              extended == path ? fmt::format("there is no image file {}", printable(path))
                               : fmt::format("there is no image file {} or {}", printable(path), printable(extended)));
}

}  // namespace tintype
