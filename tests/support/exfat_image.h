// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/extent.h"

namespace tintype::test {

struct ExfatOptions {
  std::uint32_t clusters = 500;  // of 4096 bytes, in sectors of 512
  std::uint32_t bitmaps = 1;     // 2: TexFAT, with as many FATs
  std::uint16_t volume_flags = 0;
  std::uint32_t serial = 0x1234ABCD;
  std::string label = "BUILT";
};

// A whole exFAT volume made by hand, for what no mkfs makes. Clusters are numbered from 2. Sources as in
// src/fs/exfat/; fsck.exfat is the judge of this builder in tests/system.
class ExfatImage {
 public:
  static constexpr std::uint32_t kClusterBytes = 4096, kSectorBytes = 512;
  static constexpr std::uint32_t kBitmapCluster = 2;  // TexFAT's second bitmap has the one behind it

  explicit ExfatImage(ExfatOptions options = {});

  // A file of the root in these clusters, one after the other: without a chain if they are contiguous, else chained in
  // the FAT. Every byte of its data is `fill`.
  void add_file(const std::string& name, std::uint64_t size_bytes, const std::vector<std::uint32_t>& clusters, char fill);
  void set_bit(std::uint32_t cluster, bool used, std::uint32_t bitmap = 0);
  void link(std::uint32_t cluster, std::uint32_t next);  // in every FAT
  Extent extent_of(std::uint32_t cluster) const;
  std::uint32_t upcase_cluster() const { return kBitmapCluster + options_.bitmaps; }
  std::uint32_t root_cluster() const { return upcase_cluster() + 1; }
  std::uint32_t first_free_cluster() const { return root_cluster() + 1; }
  const ExfatOptions& options() const { return options_; }

  // The boot region and its backup, with checksums; call last. Later changes of the bytes are the caller's damage.
  Bytes& finish();
  Bytes& bytes() { return bytes_; }

 private:
  void write_system_files();
  void append_to_root(ByteSpan entries);

  ExfatOptions options_;
  Bytes bytes_;
  std::uint64_t fat_offset_ = 0, fat_bytes_ = 0, heap_offset_ = 0;
  std::size_t root_used_ = 0;
};

}  // namespace tintype::test
