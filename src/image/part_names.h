// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/format.h"
#include "store/place.h"

namespace tintype {

// "pc.tti", "pc.tti.1", "pc.tti.2" …
std::string part_name(const std::string& image, std::uint32_t part);
// The name a part has while it is being written: "pc.tti.1.partial".
std::string partial_name(const std::string& image, std::uint32_t part);

struct PartFile {
  std::uint32_t part = 0;
  bool partial = false;
  std::string name;
};
// Every file of the place that is, or was to become, a part of the image; by part, finished ones first.
Result<std::vector<PartFile>> find_parts(Place& place, const std::string& image);

// The header of one part file.
Result<PartHeader> read_part_header(Place& place, const std::string& name);

// A publish that was cut off after its first rename is completed: partial parts, and the recovery file, that belong to the set
// which has the image's name get their final names. The caller holds the image's lock. Damaged headers are passed over; only the
// place's own failures are errors.
Result<void> finish_publishing(Place& place, const std::string& image);
// Removes what a cut-off repair left behind, as far as it can be told from files of others. The caller holds the image's lock.
Result<void> remove_repair_leftovers(Place& place, const std::string& image);
// Finishes publishing for a reader: only if there is something to do and no backup of that name is running.
void finish_publishing_if_idle(Place& place, const std::string& image);

}  // namespace tintype
