// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "serve/mount.h"
#include "ui/cli/open_image.h"

namespace tintype::cli {

struct ShowOptions {
  bool writable = false;  // through an overlay of its own
  bool files = false;
  bool partitions = true;
  std::string scratch_folder = {};  // of the overlay; empty: where temporary files lie
};

inline constexpr const char* kWholeDrive = "drive.img";

// The drive that an opened image is, its partitions as slices of it ("partition-1.img"), and their files. What cannot be looked into
// is left out and said in `notes`.
Result<Shown> show_image(const OpenedImage& image, const ShowOptions& options, std::vector<std::string>& notes);

// --writable and --overlay-folder, as said.
ShowOptions show_options(const options::ParsedCommand& command);

}  // namespace tintype::cli
