// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/foreign/foreign.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "drive/foreign/clonezilla_folder.h"
#include "drive/foreign/image_files.h"
#include "drive/foreign/partclone_drive.h"
#include "drive/foreign/partclone_format.h"

namespace tintype {
namespace {

namespace fs = std::filesystem;

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

struct DiskOfFolder {
  std::string folder, disk;
};

// FOLDER (with its one disk) or FOLDER/sda. No disk: it is neither.
Result<DiskOfFolder> clonezilla_name(const std::string& given) {
  const std::string path = without_slashes(given);
  std::error_code error;
  if (fs::is_directory(path, error)) {
    std::vector<std::string> disks = clonezilla_disks(path);
    if (disks.empty()) return DiskOfFolder{};
    if (disks.size() == 1) return DiskOfFolder{path, std::move(disks.front())};
    std::string names;
    for (const std::string& disk : disks) names += fmt::format("{}{}/{}", names.empty() ? "" : " or ", path, disk);
    return fail(ErrorCode::usage, fmt::format("the Clonezilla folder {} holds {} disks", path, disks.size()), "name one: " + names);
  }
  if (fs::exists(path, error)) return DiskOfFolder{};
  const fs::path split(path);
  const std::string folder = split.has_parent_path() ? split.parent_path().string() : ".";
  if (!fs::is_directory(folder, error)) return DiskOfFolder{};
  const std::vector<std::string> disks = clonezilla_disks(folder);
  const std::string disk = split.filename().string();
  return std::ranges::find(disks, disk) == disks.end() ? DiskOfFolder{} : DiskOfFolder{folder, disk};
}

// The file's bytes if they are a partclone image, else null. Files that cannot be read are somebody else's to complain of.
Result<std::shared_ptr<ByteSource>> partclone_source(const std::string& path) {
  std::error_code error;
  const bool file = fs::is_regular_file(path, error);
  if (!file && (fs::exists(path, error) || (!fs::is_regular_file(path + ".aa", error) && !fs::is_regular_file(path + ".aaa", error))))
    return std::shared_ptr<ByteSource>();
  auto packed = open_split_file(path);
  if (!packed) return std::shared_ptr<ByteSource>();
  auto source = open_byte_source(*packed);
  if (!source) {
    // Told only of what says in its name that it is one: a raw drive may begin with any bytes.
    if (path.find("-ptcl-img") != std::string::npos) return fail(std::move(source).error());
    return std::shared_ptr<ByteSource>();
  }
  Bytes head(16);
  if (!(*source)->read(0, head) || !is_partclone(head)) return std::shared_ptr<ByteSource>();
  return std::move(*source);
}

}  // namespace

Result<std::shared_ptr<Drive>> open_foreign(const std::string& path, std::uint32_t sector_bytes) {
  const DiskOfFolder found = TRY(clonezilla_name(path));
  if (!found.disk.empty()) return open_clonezilla_disk(found.folder, found.disk, path);
  std::shared_ptr<ByteSource> source = TRY(partclone_source(path));
  if (!source) return std::shared_ptr<Drive>();
  return open_partclone(std::move(source), path, sector_bytes);
}

bool is_foreign(const std::string& path) {
  const Result<DiskOfFolder> found = clonezilla_name(path);
  if (!found || !found->disk.empty()) return true;
  const Result<std::shared_ptr<ByteSource>> source = partclone_source(path);
  return !source || *source != nullptr;
}

}  // namespace tintype
