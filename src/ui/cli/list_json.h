// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <vector>

#include "job/list.h"

namespace tintype::cli {

// `list --json`: one object, docs/json-events.md says what is in it. `image` is null for drives.
std::string list_json(const std::vector<DriveListing>& drives, const ImageListing* image);

}  // namespace tintype::cli
