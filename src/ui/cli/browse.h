// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>

#include "job/file_source.h"
#include "ui/cli/session.h"

namespace tintype::cli {

struct BrowsedSource {
  FileSource source;
  std::optional<std::uint32_t> partition;  // the one behind '@'
};

// The image or drive that --file names, asking for the password of an image that has one.
Result<BrowsedSource> open_browsed_source(Session& session);

}  // namespace tintype::cli
