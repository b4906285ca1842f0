// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <vector>

#include "fs/mapped_content.h"

namespace tintype {

// A file in chained clusters, numbered from 2. A chain can only be followed forwards: a cursor stays where it was, and every 1024th
// cluster is remembered, so that going back costs as little as going on.
struct ChainedFile {
  std::uint64_t heap_offset = 0;  // of cluster 2
  std::uint64_t cluster_bytes = 0;
  std::uint64_t cluster_count = 0;
  std::uint32_t first_cluster = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t valid_bytes = 0;  // what lies behind them reads as zeros
  bool contiguous = false;        // no chain: one cluster after the other
  // The cluster behind another; empty at the end of the chain or where it is broken.
  std::function<Result<std::optional<std::uint32_t>>(std::uint32_t cluster)> next;
};
std::unique_ptr<ContentMap> chain_map(ChainedFile file);

}  // namespace tintype
