// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/extent.h"
#include "base/result.h"
#include "drive/drive.h"

namespace tintype {

enum class FsType { unknown, ntfs, fat12, fat16, fat32, exfat, ext2, ext3, ext4, reiserfs, swap };
const char* to_string(FsType type);  // the lower-case word `list --json` uses

enum class FsState {
  unknown,
  clean,
  dirty,       // not unmounted, journal not replayed, or marked as having errors
  hibernated,  // a suspended system will go on using it (hiberfil.sys, fast startup, a suspended swap)
};
const char* to_string(FsState state);

struct FsInfo {
  FsType type = FsType::unknown;
  FsState state = FsState::unknown;
  std::string label;    // UTF-8, as stored; use printable() before showing it
  std::string serial;   // as blkid prints the UUID: "A1B2-C3D4", "0123456789ABCDEF", "c555421b-20cc-…"; empty if none
  std::uint64_t cluster_bytes = 0;  // unit of allocation
  std::uint64_t used_bytes = 0;     // allocated clusters × size by the file system's own count, left-out files included
  std::uint64_t free_bytes = 0;
  std::uint64_t file_system_bytes = 0;  // how much of the partition the file system claims
  std::uint64_t last_used_byte = 0;  // just past the last byte of used_map()
  // Why all sectors are saved instead of the used ones, or what is odd; empty if nothing is.
  std::string warning;
  bool used_map_known = false;  // false: used_map() is everything
};

// A file whose data a backup need not hold: pagefile.sys, swapfile.sys, hiberfil.sys of the root.
struct LeftOutFile {
  enum class Kind { page, hibernation };
  Kind kind = Kind::page;
  std::string path;      // "/pagefile.sys"
  ExtentSet extents;     // bytes of the partition that hold its data (not its metadata)
  std::uint64_t size_bytes = 0;
};

// A recognised file system on a partition, seen read-only. One user at a time (not thread safe); the drive must outlive it.
// Nothing read from the drive is trusted: a map that cannot be proved is replaced by "everything" with a warning.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  const FsInfo& info() const { return info_; }

  // Bytes of the partition that a backup must hold: allocated clusters, boot areas, NTFS's last sector, the tail behind the
  // file system. Sorted, disjoint, inside the partition; memory bounded whatever the size. Left-out files are
  // still in it: take left_out_files() away with without(). An Error while it runs (damage found late) means: start
  // again with everything.
  virtual Result<std::unique_ptr<ExtentStream>> used_map() = 0;
  // Empty if the file system has none, or if anything about them is doubtful.
  virtual Result<std::vector<LeftOutFile>> left_out_files() { return std::vector<LeftOutFile>{}; }

 protected:
  FsInfo info_;
};

// Recognises what is on the partition. Never fails for what it finds: an unknown or damaged file system comes back as
// one whose used map is everything, with info().warning saying why. Fails only if the drive's first sectors cannot be read.
Result<std::unique_ptr<FileSystem>> open_file_system(std::shared_ptr<Drive> partition);

// "Everything", for raw backups and for what is not understood. `type` as far as it was recognised.
std::unique_ptr<FileSystem> make_unknown_file_system(const Drive& partition, FsType type, std::string warning);

}  // namespace tintype
