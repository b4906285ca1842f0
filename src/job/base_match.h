// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "image/catalog.h"
#include "layout/layout.h"

namespace tintype {

// Whether a drive is the one an image was made of, and which of its areas are which.

// Why the drive is not taken for the source of the image; empty if it is. The identity is the disk signature or GUID of the
// table; beside it the drive's size, sector size and, where both are known, its serial number must agree. Without a signature
// the path must, if there is no serial number. `relaxed` (FEATURES G12): one of signature, serial number and path is enough.
std::string why_another_drive(const Catalog& image, const DriveInfo& drive, const Layout& layout, bool relaxed);

// For each area of a new backup the area of the base that holds its earlier state, if any. Partitions are matched by their
// GUID, else by type and serial of their file system, else by where they start, else by id: so one that was moved or
// grown is still found. Each area of the base is used once.
std::vector<std::optional<std::size_t>> match_areas(const Catalog& base, const std::vector<Area>& areas, const Layout& layout);

}  // namespace tintype
