// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "job/parity.h"
#include "ui/cli/listener.h"

namespace tintype::cli {

// Where an image lies, whether or not it can be opened.
struct ImageFiles {
  std::string path;  // of its first part
  std::shared_ptr<Place> place;
  std::string name;  // of its first part, in the place
};

// Finds the image that --file names; its first part may be missing if its recovery file is there.
Result<ImageFiles> find_image_files(const std::string& file);

// What the recovery file of an image says, for validate.
struct Recovery {
  FoundParity found;
  std::optional<ParityReport> report;  // state there
};
// Looks for it; `image_damaged`: reads the parts too, to say whether they can be repaired. A stale one is warned about.
Result<Recovery> check_recovery(const ImageFiles& files, bool image_damaged, JobContext& context);

// Adds to a validation's report what the recovery file says: facts, sentences, and status damaged if it is damaged itself.
void add_recovery(Report& report, const Recovery& recovery, const ImageFiles& files, bool image_damaged);

}  // namespace tintype::cli
