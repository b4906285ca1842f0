// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "image/catalog.h"
#include "image/page.h"

namespace tintype {

// Which chunks a pass over an image handles: all, or those whose own frame lies in one link of its chain.
struct Pass {
  std::optional<std::uint32_t> link;
  bool last = true;

  // A chunk without a frame belongs to the image itself, which comes last.
  bool takes(const ChunkEntry& entry) const { return !link || *link == (entry.has_frame() ? entry.place.link : 0); }
};

// One pass; or, with `multi`, one for each image of the chain, oldest first, so that each is read in one go (FEATURES R20).
inline std::vector<Pass> passes_over(const Catalog& catalog, bool multi) {
  if (!multi || catalog.links.empty()) return {Pass{}};
  std::vector<Pass> passes;
  for (std::uint32_t link = 1; link <= catalog.links.size(); ++link) passes.push_back({link, false});
  passes.push_back({0, true});
  return passes;
}

}  // namespace tintype
