// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "job/list.h"

namespace tintype::cli {

struct ListStyle {
  std::size_t columns = 80;
  bool utf8 = false;
  bool free_space = false;  // columns for used and free bytes (/fs)
};

// `list` for people. Text from drives and images is made safe for a terminal.
std::string list_text(const std::vector<DriveListing>& drives, const ImageListing* image, const ListStyle& style);

}  // namespace tintype::cli
