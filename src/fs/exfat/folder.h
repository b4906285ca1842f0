// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "fs/exfat/boot_sector.h"
#include "fs/file_tree.h"
#include "fs/folder_walk.h"

namespace tintype::exfat {

// The active FAT, read through a window.
class Table {
 public:
  Table(std::shared_ptr<Drive> partition, const Geometry& geometry) : partition_(std::move(partition)), g_(geometry) {}
  // The cluster behind another one; empty at the end of a chain or if the entry is none. `cluster` must be one of the volume.
  Result<std::optional<std::uint32_t>> next(std::uint32_t cluster);

 private:
  static constexpr std::uint64_t kWindowBytes = 64 * 1024;
  std::shared_ptr<Drive> partition_;
  Geometry g_;
  std::optional<std::uint64_t> held_;
  Bytes window_;
};

// A run of clusters, chained in the FAT or one after the other.
struct Stream {
  std::uint32_t first_cluster = 0;  // 0: none
  bool contiguous = false;
  std::uint64_t size_bytes = 0;   // of the root: unknown, at most a folder's limit
  std::uint64_t valid_bytes = 0;  // what lies behind them was never written
};

// A set of entries whose checksum is right. Source: Microsoft, "exFAT file system specification" 1.00, sections 6.3, 7.4, 7.6, 7.7.
// Times without a valid offset from UTC are taken for UTC.
struct FolderEntry {
  std::string name;
  std::uint16_t attributes = 0;
  Stream stream;
  FileTime modified, accessed, created;
  std::uint64_t place = 0;  // of the set on the partition

  bool is_folder() const { return (attributes & 0x10) != 0; }
};

// Reads a folder set by set; sets not in use and those that are no files are left out. Can be put aside like fat::FolderReader.
class FolderReader {
 public:
  static Stream root_of(const Geometry& geometry);
  FolderReader(std::shared_ptr<Drive> partition, std::shared_ptr<Table> table, const Geometry& geometry, const Stream& folder);
  std::uint32_t first_cluster() const { return folder_.first_cluster; }
  // Nothing at the end. After an Error the folder cannot be read on.
  Result<std::optional<FolderEntry>> next();
  void rest() { chunk_ = {}; }
  std::uint64_t clusters() const { return clusters_; }
  // Sets were left out because they are damaged.
  bool damaged() const { return damaged_; }

 private:
  // The next entry of 32 bytes, valid until the next call; empty at the end.
  Result<std::optional<ByteSpan>> raw();
  Result<std::optional<ByteSpan>> peek();
  std::optional<FolderEntry> parse(ByteSpan set) const;

  std::shared_ptr<Drive> partition_;
  std::shared_ptr<Table> table_;
  Geometry g_;
  Stream folder_;
  std::uint32_t cluster_;
  std::uint64_t in_cluster_ = 0, position_ = 0;  // of the next entry
  std::uint64_t chunk_place_ = 0;
  Bytes chunk_;
  std::uint64_t clusters_ = 1;
  bool ended_ = false, damaged_ = false;
  CircleWatch circle_;
};

}  // namespace tintype::exfat
