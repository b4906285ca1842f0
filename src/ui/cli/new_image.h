// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <string>

#include "naming/resolve.h"
#include "options/command.h"

namespace tintype::cli {

// The path of the image that a backup is to make: as --file says, or, if that is a folder (or ends in '/'), a suggested
// name in it that neither an image nor a backup under way has. `only`: of this one of the source's partitions.
Result<std::string> new_image_path(const options::ParsedCommand& command, const ResolvedDrive& source,
                                   std::optional<std::uint32_t> only = {});

}  // namespace tintype::cli
