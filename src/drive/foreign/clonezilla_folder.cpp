// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/foreign/clonezilla_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/text.h"
#include "drive/foreign/clonezilla_tables.h"
#include "drive/foreign/image_files.h"
#include "drive/foreign/partclone_drive.h"
#include "drive/foreign/partclone_format.h"
#include "drive/foreign/unpacked_drive.h"
#include "drive/open.h"

namespace tintype {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxTableFile = 64U << 20;  // sda-hidden-data-after-mbr is the largest; Clonezilla itself stops at 1 GiB
constexpr std::size_t kMaxFiles = 100'000;
constexpr std::string_view kDumpEnding = "-pt.sf";

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end && names.size() < kMaxFiles; entry.increment(error))
    names.push_back(entry->path().filename().string());
  std::ranges::sort(names);
  return names;
}

std::optional<Bytes> small_file(const std::string& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return std::nullopt;
  const auto file = open_drive(path);
  if (!file || (*file)->size_bytes() > kMaxTableFile) return std::nullopt;
  Bytes bytes(static_cast<std::size_t>((*file)->size_bytes()));
  if (!(*file)->read(0, bytes)) return std::nullopt;
  return bytes;
}

std::string file_word(std::string device) {
  std::ranges::replace(device, '/', '-');  // cciss/c0d0p1
  return device;
}

class Folder {
 public:
  Folder(std::string path, std::string disk, std::string name) : path_(std::move(path)), disk_(std::move(disk)), name_(std::move(name)) {}

  Result<std::shared_ptr<Drive>> open() {
    TRY(look());
    std::vector<CompositePiece> pieces = clonezilla_tables(dump_, disk_, info_.logical_sector_bytes, info_.size_bytes,
                                                           [this](const std::string& file) { return read(file); });
    for (const SfdiskDump::Entry& entry : dump_.entries)
      if (dump_.gpt || !entry.extended()) TRY(add_partition(entry, pieces));
    return make_composite(info_, std::move(pieces));
  }

  Result<std::vector<ClonezillaImage>> images() {
    TRY(look());
    std::vector<ClonezillaImage> out;
    for (const SfdiskDump::Entry& entry : dump_.entries) {
      if (!dump_.gpt && entry.extended()) continue;
      const std::string file = TRY(image_of(file_word(entry.device)));
      if (!file.empty()) out.push_back({path_ + "/" + file, entry.sectors * info_.logical_sector_bytes});
    }
    return out;
  }

 private:
  Result<void> look() {
    files_ = names_in(path_);
    const std::optional<Bytes> text = read(disk_ + std::string(kDumpEnding));
    if (!text) return fail(ErrorCode::not_found, fmt::format("{} has no partition table of {} ({}-pt.sf)", path_, disk_, disk_));
    dump_ = TRY(parse_sfdisk_dump(as_text(*text), path_ + "/" + disk_ + std::string(kDumpEnding)));
    return find_size();
  }

  std::optional<Bytes> read(const std::string& file) const { return small_file(path_ + "/" + file); }

  // "Disk /dev/sda: 16777215s" and "Sector size (logical/physical): 512B/512B" of parted; else what the table needs.
  Result<void> find_size() {
    std::string parted;
    if (const auto bytes = read(disk_ + "-pt.parted")) parted = as_text(*bytes);
    std::uint64_t sector_bytes = number_after(parted, "Sector size (logical/physical): ").value_or(dump_.sector_bytes);
    if (sector_bytes == 0) sector_bytes = 512;
    if (sector_bytes != 512 && sector_bytes != 4096)
      return fail(ErrorCode::corrupt, fmt::format("{}/{}-pt.parted gives sectors of {} bytes", path_, disk_, sector_bytes));
    std::uint64_t needed = dump_.gpt && dump_.last_lba != 0 ? dump_.last_lba + 34 : 1;
    for (const SfdiskDump::Entry& entry : dump_.entries) needed = std::max(needed, entry.start + entry.sectors);
    const std::size_t line = parted.find("\nDisk /dev/");
    const std::size_t colon = line == std::string::npos ? line : parted.find(": ", line + 1);
    std::optional<std::uint64_t> sectors = parted.starts_with("Disk /dev/") ? number_after(parted, ": ") : std::nullopt;
    if (colon != std::string::npos) sectors = number_after(parted.substr(colon), ": ");
    if (sectors && *sectors < needed)
      return fail(ErrorCode::corrupt, fmt::format("the partitions of {} in {} reach beyond its {} sectors", disk_, path_, *sectors));
    const auto size = checked_mul(sectors.value_or(needed), sector_bytes);
    if (!size || *size > std::uint64_t{1} << 62) return fail(ErrorCode::corrupt, fmt::format("{}/{}-pt.parted gives an impossible size", path_, disk_));
    info_.size_bytes = *size;
    info_.logical_sector_bytes = info_.physical_sector_bytes = static_cast<std::uint32_t>(sector_bytes);
    info_.path = name_;
    return {};
  }

  static std::optional<std::uint64_t> number_after(std::string_view text, std::string_view words) {
    const std::size_t at = text.find(words);
    if (at == std::string_view::npos) return std::nullopt;
    text.remove_prefix(at + words.size());
    return parse_number(text.substr(0, std::min(text.find_first_not_of("0123456789"), text.size())));
  }

  Result<void> add_partition(const SfdiskDump::Entry& entry, std::vector<CompositePiece>& pieces) {
    const std::uint64_t sector = info_.logical_sector_bytes;
    const Extent place{entry.start * sector, entry.sectors * sector};  // inside the drive: find_size()
    TRY(refuse_volumes(entry));
    const std::string device = file_word(entry.device);
    if (const auto swap = read("swappt-" + device + ".info")) {
      pieces.push_back({{place.start, std::min<std::uint64_t>(place.length, 4096)}, drive_of(swap_header(std::string(as_text(*swap)), place.length)), 0});
      return {};
    }
    const std::string file = TRY(image_of(device));
    if (file.empty()) return {};
    const std::shared_ptr<Drive> drive = TRY(open_partition_image(path_ + "/" + file, place.length));
    pieces.push_back({place, drive, 0});
    return {};
  }

  // The first file with the partition's data; empty: it was not saved.
  Result<std::string> image_of(const std::string& device) const {
    const std::string stem = device + ".";
    for (const std::string& file : files_) {
      if (!file.starts_with(stem) || file.ends_with(".info") || file.ends_with(".info.gz")) continue;
      const std::string rest = file.substr(stem.size());
      if (rest.starts_with("ntfs-img") || rest.starts_with("000"))
        return fail(ErrorCode::unsupported, fmt::format("{}/{} is an image of ntfsclone or partimage", path_, file),
                    "restore the folder with Clonezilla, or name one of its partclone images");
      if (rest.find("-img") != std::string::npos) return file;
    }
    return std::string();
  }

  Result<std::shared_ptr<Drive>> open_partition_image(const std::string& file, std::uint64_t length) const {
    const std::shared_ptr<Drive> packed = TRY(open_split_file(file));
    const std::shared_ptr<ByteSource> source = TRY(open_byte_source(packed));
    Bytes head(16);
    const auto begun = source->read(0, head);
    if (begun && is_partclone(head)) return open_partclone(source, file, info_.logical_sector_bytes);
    if (!begun && begun.error().code != ErrorCode::corrupt) return fail(begun.error());
    return make_unpacked_drive(source, file, length);
  }

  Result<void> refuse_volumes(const SfdiskDump::Entry& entry) const {
    struct List {
      const char* file;
      const char* what;
    };
    for (const List& list : {List{"lvm_vg_dev.list", "a physical volume of LVM"}, List{"luks-dev.list", "encrypted with LUKS"}}) {
      const auto bytes = read(list.file);
      if (!bytes) continue;
      const std::string text = " " + std::string(as_text(*bytes)) + " ";
      const std::size_t at = text.find("/dev/" + entry.device);
      const std::size_t end = at == std::string::npos ? at : at + 5 + entry.device.size();
      if (at == std::string::npos || (text[end] >= '0' && text[end] <= '9')) continue;
      return fail(ErrorCode::unsupported,
                  fmt::format("partition {} of {} is {}: Clonezilla saved what is in it, and the drive cannot be put together from that",
                              printable(entry.device), path_, list.what),
                  "name one of the folder's image files as the drive (such as vg-root.ext4-ptcl-img.gz.aa), or restore it with Clonezilla");
    }
    return {};
  }

  std::string path_, disk_, name_;
  std::vector<std::string> files_;
  SfdiskDump dump_;
  DriveInfo info_;
};

}  // namespace

std::vector<std::string> clonezilla_disks(const std::string& folder) {
  std::vector<std::string> disks;
  for (const std::string& name : names_in(folder))
    if (name.ends_with(kDumpEnding) && name.size() > kDumpEnding.size()) disks.push_back(name.substr(0, name.size() - kDumpEnding.size()));
  return disks;
}

Result<std::vector<ClonezillaImage>> clonezilla_images(const std::string& folder, const std::string& disk) {
  return Folder(folder, disk, folder).images();
}

Result<std::shared_ptr<Drive>> open_clonezilla_disk(const std::string& folder, const std::string& disk, const std::string& name) {
  return Folder(folder, disk, name).open();
}

}  // namespace tintype
