// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <vector>

#include "job/image_folder.h"
#include "ui/cli/listener.h"

namespace tintype::cli {

// "last 2, weekly; needed by friday": why a set is kept or goes.
std::string why_text(const Retention& decision);

// What a purge does with each set of a folder, for people: a line each, the newest first, source by source.
std::vector<std::string> purge_table(const ImageFolder& folder, const std::vector<Retention>& decisions);
// The same for programs.
Rows purge_rows(const ImageFolder& folder, const std::vector<Retention>& decisions);

}  // namespace tintype::cli
