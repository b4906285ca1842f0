// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>

#include "base/result.h"
#include "drive/linux/unique_fd.h"

namespace tintype {

// Where temporary files lie if nobody says otherwise: $TMPDIR, else /var/tmp, which unlike /tmp is not memory on many systems.
std::string temporary_folder();

// An empty file (0600) that has no name: it is gone when its last descriptor is.
Result<UniqueFd> open_nameless_file(const std::string& folder);

}  // namespace tintype
