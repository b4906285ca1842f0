// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "naming/resolve.h"
#include "ui/cli/listener.h"
#include "ui/cli/session.h"

namespace tintype::cli {

// One of the images of a backup that makes one for each partition (FEATURES B17).
struct OneOfSeveral {
  std::uint32_t partition = 0;
  std::string path;
};

// Makes one image, of all that was asked for or of one partition of it.
Result<Report> back_up(Session& session, const OneOfSeveral* one = nullptr);

// Makes an image of each partition that was asked for, one after the other, each complete in itself. The first failure ends it
// and names the images that are complete and those that were not made. A source without a partition table gives one image.
Result<Report> back_up_each_partition(Session& session);

}  // namespace tintype::cli
