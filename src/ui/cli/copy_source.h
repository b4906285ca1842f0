// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>

#include "naming/resolve.h"
#include "ui/cli/open_image.h"
#include "ui/cli/session.h"

namespace tintype::cli {

// What a copy reads: a drive, or an image opened as one.
struct CopySource {
  ResolvedDrive found;
  std::optional<OpenedImage> image;  // then found.drive reads it, and there is nothing to lock
};

// Finds what --source-drive names and opens it for looking; asks for the password of an image. At most one partition.
Result<CopySource> find_copy_source(Session& session);

// Whether the file begins as an image does.
bool is_image(const std::string& path, Session& session);

}  // namespace tintype::cli
