// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <string>

#include "base/result.h"
#include "ui/cli/listener.h"
#include "ui/cli/session.h"

namespace tintype::cli {

// The path in `file` if it leads to an image of another program (drive/foreign).
std::optional<std::string> foreign_path(const std::string& file);

// What restore does with one: a copy of the drive that it stands for, asked for in restore's words.
Result<Report> restore_foreign(const std::string& path, Session& session);

// What validate does with one: reads all that it holds, which verifies the checksums in it.
Result<Report> validate_foreign(const std::string& path, Session& session);

}  // namespace tintype::cli
