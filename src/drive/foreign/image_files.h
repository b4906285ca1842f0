// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <string>

#include "base/result.h"
#include "drive/drive.h"

namespace tintype {

// A file, or all the parts of one that `split` cut: a name ending in ".aa" or ".aaa" stands for it and what follows in the alphabet, and
// a name that does not exist for its parts. Error{not_found} if there is nothing; at most 4096 parts.
Result<std::shared_ptr<Drive>> open_split_file(const std::string& path);

}  // namespace tintype
