// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "fs/fat/table.h"
#include "fs/file_tree.h"
#include "fs/folder_walk.h"

namespace tintype::fat {

// The file of an entry, as it is stored. Source: Microsoft, "FAT: General Overview of On-Disk Format" 1.03 (long names too);
// the byte for the case of short names as Windows NT and Linux use it.
struct FolderEntry {
  std::string name;  // the long one if it belongs to the short one by its checksum
  std::uint8_t attributes = 0;
  std::uint32_t first_cluster = 0;  // 0: none
  std::uint32_t size_bytes = 0;
  FileTime modified, accessed, created;
  std::uint64_t place = 0;  // of the entry on the partition

  bool is_folder() const { return (attributes & 0x10) != 0; }
};

// Reads a folder entry by entry, in its order; deleted entries, volume labels, "." and ".." are left out. Can be put aside: rest() gives
// back its memory until it is used again.
//
// Times on FAT are local ones of an unknown time zone; they are taken for UTC, as nothing on the volume says which.
class FolderReader {
 public:
  // `first_cluster` 0: the root.
  FolderReader(std::shared_ptr<Drive> partition, std::shared_ptr<Table> table, const Geometry& geometry, std::uint32_t first_cluster);
  std::uint32_t first_cluster() const { return first_; }
  // Nothing at the end. After an Error the folder cannot be read on.
  Result<std::optional<FolderEntry>> next();
  void rest() { block_ = {}; }
  // Clusters that were read so far.
  std::uint64_t clusters() const { return clusters_; }

 private:
  struct LongName {
    std::u16string units;
    unsigned missing = 0;  // pieces; 0 and units: whole
    std::uint8_t checksum = 0;
  };
  Result<bool> load();
  void take_long_piece(ByteSpan raw);
  FolderEntry entry(ByteSpan raw, std::uint64_t place) const;

  std::shared_ptr<Drive> partition_;
  std::shared_ptr<Table> table_;
  Geometry g_;
  std::uint32_t first_, cluster_;
  bool fixed_root_, ended_ = false;
  Bytes block_;            // of the cluster at hand; empty: to be read
  std::size_t at_ = 0;     // in it
  std::uint64_t clusters_ = 1;
  std::size_t entries_ = 0;
  LongName long_;
  CircleWatch circle_;
};

}  // namespace tintype::fat
