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

Result<void> read_unpacked(ByteSource& source, std::uint64_t bytes, const Advance& advance) {
  Bytes piece(1U << 20);
  for (std::uint64_t at = 0; at < bytes; at += piece.size()) {
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), bytes - at));
    TRY(source.read(at, MutableByteSpan(piece).first(length)));
    TRY(advance(length));
  }
  return {};
}

// Error{corrupt} for what does not fit its checksum.
Result<void> check_file(const ClonezillaImage& image, const WrapDrive& wrap, const Advance& advance) {
  const std::shared_ptr<Drive> file = TRY(open_split_file(image.file));
  const std::shared_ptr<ByteSource> source = TRY(open_byte_source(wrap(file)));
  Bytes head(kPartcloneHeadBytes);
  const Result<void> begun = source->read(0, head);
  if (!begun || !is_partclone(head)) return read_unpacked(*source, image.partition_bytes, advance);
  const PartcloneCheck check = TRY(check_partclone(*source, image.file, advance));
  if (check.bad_strips == 0) return {};
  return fail(ErrorCode::corrupt, fmt::format("{} of {} checksums in {} do not fit their blocks, the first that of block {} of those it holds", check.bad_strips,
                                              check.strips, image.file, check.first_bad_block));
}

}  // namespace

Result<std::shared_ptr<Drive>> open_foreign(const std::string& path, std::uint32_t sector_bytes) {
  const DiskOfFolder found = TRY(clonezilla_name(path));
  if (!found.disk.empty()) return open_clonezilla_disk(found.folder, found.disk, path);
  std::shared_ptr<ByteSource> source = TRY(partclone_source(path));
  if (!source) return std::shared_ptr<Drive>();
  return open_partclone(std::move(source), path, sector_bytes);
}

Result<ForeignCheck> check_foreign(const std::string& path, const WrapDrive& wrap, const Advance& advance) {
  const DiskOfFolder found = TRY(clonezilla_name(path));
  std::vector<ClonezillaImage> images = {{path, 0}};
  if (!found.disk.empty()) images = TRY(clonezilla_images(found.folder, found.disk));
  ForeignCheck check;
  for (const ClonezillaImage& image : images) {
    const Result<void> checked = check_file(image, wrap, [&](std::uint64_t bytes) {
      check.checked_bytes += bytes;
      return advance(bytes);
    });
    if (!checked && checked.error().code != ErrorCode::corrupt && checked.error().code != ErrorCode::io) return fail(checked.error());
    if (!checked) check.damage.push_back(checked.error().message());
  }
  return check;
}

bool is_foreign(const std::string& path) {
  const Result<DiskOfFolder> found = clonezilla_name(path);
  if (!found || !found->disk.empty()) return true;
  const Result<std::shared_ptr<ByteSource>> source = partclone_source(path);
  return !source || *source != nullptr;
}

}  // namespace tintype
