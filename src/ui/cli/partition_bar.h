// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstddef>
#include <string>

#include "job/list.h"

namespace tintype::cli {

// The partitions of a drive to scale, in one line of about `columns` columns: "┃0x1 ntfs        ┃0x2 ext4 ┃░░░░░┃".
// Every partition gets room for at least a few characters, so a small one looks larger than it is. Empty if there is
// nothing to draw.
std::string partition_bar(const DriveListing& drive, std::size_t columns, bool utf8);

}  // namespace tintype::cli
