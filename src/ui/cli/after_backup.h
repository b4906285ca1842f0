// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>

#include "job/backup.h"
#include "naming/resolve.h"

namespace tintype::cli {

// What the chosen partitions, or the whole drive, will give an image to hold, by their file systems' own count.
std::uint64_t used_bytes_of(const ResolvedDrive& source, bool raw);

// Reads the new image back: all of it, and with `compare` also against its source. Error{corrupt} or Error{mismatch}.
// `named`: where earlier images of a chain may lie besides beside it.
Result<void> check_backup(const BackupRequest& request, const std::string& path, bool compare, std::vector<NamedImage> named, JobContext& context);

}  // namespace tintype::cli
