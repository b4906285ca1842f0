// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>

#include "base/extent.h"
#include "fs/ntfs/mft.h"

namespace tintype::ntfs {

// $Bitmap: one bit per cluster, read in windows. Holds a copy of its run list; the drive must outlive it.
class ClusterBitmap {
 public:
  // Error{corrupt} if $Bitmap is too short for the volume, or stored with holes, compressed or encrypted.
  static Result<ClusterBitmap> open(const Mft& mft);

  std::uint64_t total_clusters() const { return total_clusters_; }
  const Stream& stream() const { return stream_; }
  // Bits of clusters [first, first + count) at the front of `bits`, what follows them cleared; first is a multiple of 8.
  Result<void> read(std::uint64_t first, std::uint64_t count, MutableByteSpan bits) const;
  // How many clusters from `first` on are known to be free without reading (the drive has a hole there); a multiple
  // of 8 unless it reaches the end of the volume.
  std::uint64_t free_at(std::uint64_t first) const;
  Result<std::uint64_t> count_used() const;
  // True if every cluster of these byte ranges is allocated.
  Result<bool> all_used(const ExtentSet& ranges) const;

 private:
  explicit ClusterBitmap(const Mft& mft)
      : drive_(&mft.drive()), cluster_bytes_(mft.boot().cluster_bytes), total_clusters_(mft.boot().total_clusters) {}
  Drive* drive_;
  std::uint64_t cluster_bytes_;
  std::uint64_t total_clusters_;
  Stream stream_;
};

// What is needed to stream a used map; shared by the file system and its streams.
struct Volume {
  std::shared_ptr<Drive> drive;
  Mft mft;
  ClusterBitmap bitmap;
};

// Bytes of all allocated clusters. With `add_file_runs` also those that any record in use names, which a journal not
// replayed may have kept out of $Bitmap. Memory: 1 MiB, with the runs 32 MiB (for that, $MFT is read once per 2^28 clusters).
std::unique_ptr<ExtentStream> stream_used_clusters(std::shared_ptr<const Volume> volume, bool add_file_runs);

}  // namespace tintype::ntfs
