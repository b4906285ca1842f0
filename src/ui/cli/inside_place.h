// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "base/extent.h"
#include "naming/image_name.h"
#include "store/place.h"

namespace tintype::cli {

// A folder in a partition that is not mounted; `words` names it in messages. All places of one partition share what they know of it. To be
// written, the partition must not be in use (Error{busy}), and its drive is locked against everybody else as long as files are written.
Result<std::unique_ptr<Place>> open_inside_place(const ImageName& name, const std::string& words, bool make);

// Where the partition lies that an image path such as "0@1:/backups/pc.tti" leads into; empty if it is no path of that kind.
struct InsidePart {
  std::string drive_path;
  Extent extent;  // of the drive
};
Result<std::optional<InsidePart>> find_inside_part(const std::string& image_path);

}  // namespace tintype::cli
