// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>

#include "job/list.h"

namespace tintype::cli {

// The chain of a changes-only image as a picture: a line for each image, oldest first, with kind, date, size and a bar that
// shows what it adds. Empty for a full image. Of a long chain the middle is summed up.
std::string chain_text(const ImageListing& image, std::size_t columns, bool utf8);

}  // namespace tintype::cli
