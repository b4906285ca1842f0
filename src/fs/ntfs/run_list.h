// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/extent.h"
#include "base/result.h"
#include "drive/drive.h"

namespace tintype::ntfs {

// Clusters of a file that lie together on the volume; no start means a hole (sparse or compressed away).
struct Run {
  std::uint64_t vcn = 0;  // first cluster within the file
  std::optional<std::uint64_t> lcn;
  std::uint64_t length = 0;  // in clusters, never 0
};

// Decodes mapping pairs one at a time. Every run is inside the volume and its numbers do not overflow.
// Source: "Data Runs" in the Linux-NTFS documentation and ntfs-3g's runlist.c.
class RunDecoder {
 public:
  RunDecoder(ByteSpan mapping_pairs, std::uint64_t lowest_vcn, std::uint64_t total_clusters)
      : rest_(mapping_pairs), vcn_(lowest_vcn), total_clusters_(total_clusters) {}
  // The next run, nothing at the end, Error{corrupt} for a malformed one.
  Result<std::optional<Run>> next();
  std::uint64_t vcn() const { return vcn_; }  // just past the runs decoded so far

 private:
  ByteSpan rest_;
  std::uint64_t vcn_;
  std::uint64_t total_clusters_;
  std::int64_t lcn_ = 0;
};

// Where all clusters of a stream lie, in file order without gaps. Bounded: at most kMaxRuns.
class RunList {
 public:
  static constexpr std::size_t kMaxRuns = 1'000'000;

  // Adds what an attribute piece maps. Error{corrupt} if it does not start where the list ends or is malformed.
  Result<void> append(ByteSpan mapping_pairs, std::uint64_t lowest_vcn, std::uint64_t highest_vcn,
                      std::uint64_t total_clusters);
  std::uint64_t clusters() const { return runs_.empty() ? 0 : runs_.back().vcn + runs_.back().length; }
  bool has_holes() const;
  const std::vector<Run>& runs() const { return runs_; }
  // Bytes of the partition, in any order.
  std::vector<Extent> extents(std::uint64_t cluster_bytes) const;

  // Bytes [offset, offset + out.size()) of the stream; holes are zeros. Past the end is Error{corrupt}.
  Result<void> read(Drive& drive, std::uint64_t cluster_bytes, std::uint64_t offset, MutableByteSpan out) const;
  // Where on the partition a byte of the stream lies; nothing in a hole or past the end.
  std::optional<std::uint64_t> place_of(std::uint64_t offset, std::uint64_t cluster_bytes) const;
  // How many bytes from `offset` on (at most `length`) are known to be zeros without reading them.
  std::uint64_t zeros_at(Drive& drive, std::uint64_t cluster_bytes, std::uint64_t offset, std::uint64_t length) const;

 private:
  const Run* run_of(std::uint64_t vcn) const;
  std::vector<Run> runs_;
};

}  // namespace tintype::ntfs
