// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "naming/drive_name.h"

namespace tintype {

// What "pc@1" means to an action that looks into images and drives alike.
struct SourceName {
  std::string image;        // path of the first part of an image; empty: a drive
  DriveName drive;          // if it is one
  std::vector<std::uint32_t> partitions;  // that were named; at most one
};

// Whether a file is the first part of an image.
using IsImage = std::function<bool(const std::string& path)>;

// An image that exists wins over everything else, the whole text before what stands in front of '@', with ".tti" or without; then it is
// read as a drive's name ("0@1", "disk.raw@0x301", "#A1B2C3D4"). Errors: usage; not_found if it is a path and nothing is there.
Result<SourceName> parse_source_name(const std::string& text, const IsImage& is_image);

}  // namespace tintype
