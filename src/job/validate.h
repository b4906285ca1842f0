// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "image/reader.h"
#include "job/context.h"
#include "job/damage_owners.h"

namespace tintype {

struct Damage {
  std::string file;      // part file
  std::string what;      // one sentence
  std::string area;      // "partition 0x1", empty if unknown
  Extent bytes;          // of the area, empty if unknown
};

struct ValidateReport {
  std::uint64_t checked_bytes = 0;  // of source data
  std::vector<Damage> damage;       // at most 1000 are kept
  std::vector<PartitionDamage> partitions;  // bytes in use that are damaged
  std::uint64_t damage_count = 0;
  bool sound() const { return damage_count == 0; }
};

// Checks every byte of every part: frames, pages, directories, catalog, hashes of all chunks, and that nothing lies between
// them. Goes on after damage and reports all of it. Fails only if it was cancelled or the files cannot be read at all.
// `multi_pass`: goes through a chain image by image, oldest first; the result is the same.
Result<ValidateReport> run_validate(std::shared_ptr<ImageReader> image, JobContext& context, bool multi_pass = false);

}  // namespace tintype
