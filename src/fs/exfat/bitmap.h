// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "fs/cluster_runs.h"
#include "fs/exfat/boot_sector.h"

namespace tintype::exfat {

// Where one allocation bitmap lies: byte ranges of the partition, in the bitmap's order.
struct Bitmap {
  std::vector<Extent> pieces;  // at most kMaxPieces
  std::uint64_t bytes = 0;  // one bit a cluster, rounded up

  static constexpr std::size_t kMaxPieces = 65536;
  Result<void> read(Drive& partition, std::uint64_t at, MutableByteSpan out) const;
};

struct Root {
  std::string label;
  std::vector<Bitmap> bitmaps;  // one, or two on TexFAT
  Bitmap upcase;                // the up-case table, which is read like one
  std::vector<Extent> must_be_allocated;  // the clusters of the root directory, the up-case table and the bitmaps
};

// Follows the chain of the root directory and reads the bitmaps, the up-case table and the label from it. An Error{corrupt} says what
// does not hold together; then the bitmap cannot be trusted.
Result<Root> read_root(Drive& partition, const Geometry& geometry);

// Runs of what one of the bitmaps calls allocated.
std::unique_ptr<ClusterRuns> allocated_runs(std::shared_ptr<Drive> partition, const Geometry& geometry,
                                            std::vector<Bitmap> bitmaps);
// How many clusters a bitmap calls allocated.
Result<std::uint64_t> count_allocated(Drive& partition, const Geometry& geometry, const Bitmap& bitmap);

}  // namespace tintype::exfat
