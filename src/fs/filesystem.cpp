// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/filesystem.h"

#include <array>

#include "fs/probe.h"

namespace tintype {
namespace {

class UnknownFileSystem final : public FileSystem {
 public:
  UnknownFileSystem(const Drive& partition, FsType type, std::string warning) {
    info_.type = type;
    info_.file_system_bytes = info_.used_bytes = info_.last_used_byte = partition.size_bytes();
    info_.warning = std::move(warning);
  }
  Result<std::unique_ptr<ExtentStream>> used_map() override {
    return stream_of(ExtentSet({{0, info_.file_system_bytes}}));
  }
};

// Order matters where signatures can coexist: file systems with checks that are hard to pass by chance come first.
constexpr std::array<Probe, 6> kProbes = {probe_ntfs, probe_exfat, probe_ext, probe_reiserfs, probe_swap, probe_fat};

}  // namespace

const char* to_string(FsType type) {
  switch (type) {
    case FsType::unknown: return "unknown";
    case FsType::ntfs: return "ntfs";
    case FsType::fat12: return "fat12";
    case FsType::fat16: return "fat16";
    case FsType::fat32: return "fat32";
    case FsType::exfat: return "exfat";
    case FsType::ext2: return "ext2";
    case FsType::ext3: return "ext3";
    case FsType::ext4: return "ext4";
    case FsType::reiserfs: return "reiserfs";
    case FsType::swap: return "swap";
  }
  return "unknown";
}

const char* to_string(FsState state) {
  switch (state) {
    case FsState::unknown: return "unknown";
    case FsState::clean: return "clean";
    case FsState::dirty: return "dirty";
    case FsState::hibernated: return "hibernated";
  }
  return "unknown";
}

std::unique_ptr<FileSystem> make_unknown_file_system(const Drive& partition, FsType type, std::string warning) {
  return std::make_unique<UnknownFileSystem>(partition, type, std::move(warning));
}

Result<std::unique_ptr<FileSystem>> open_file_system(std::shared_ptr<Drive> partition) {
  for (const Probe probe : kProbes)
    if (std::unique_ptr<FileSystem> found = TRY(probe(partition))) return found;
  return make_unknown_file_system(*partition, FsType::unknown, "no known file system: all sectors are saved");
}

}  // namespace tintype
