// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <string>

#include "image/reader.h"
#include "ui/cli/session.h"

namespace tintype::cli {

struct OpenedImage {
  std::string path;  // of its first part
  std::shared_ptr<Place> place;
  std::string name;  // of its first part, in the place
  std::shared_ptr<ImageReader> reader;
};

// Splits "/mnt/bk/pc.tti" into a folder ("." if there is none) and a name.
struct SplitPath {
  std::string folder, name;
};
SplitPath split_path(const std::string& path);

// Finds and opens the image that --file names, asking for its password if it has one. A missing part is Error{corrupt}.
Result<OpenedImage> open_image(const std::string& file, Session& session);

}  // namespace tintype::cli
