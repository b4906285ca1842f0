// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <vector>

#include "image/catalog.h"
#include "naming/resolve.h"

namespace tintype::cli {

// What a backup reads.

// All names must mean partitions of one drive, or one whole drive.
Result<ResolvedDrive> resolve_source(const std::vector<std::string>& names);

// The drive that the base was made of, with the partitions that the base holds (none: the whole drive). Looked for among the
// machine's drives and at the path the base remembers. Errors: not_found saying what was looked for; usage if several drives fit.
Result<ResolvedDrive> find_source_of(const Catalog& base, bool relaxed);

// Error{refused} if a drive that was named is not the one the base was made of.
Result<void> check_source_of(const Catalog& base, const ResolvedDrive& source, bool relaxed);

// Whether the base holds every sector of its drive, used or not.
bool is_raw_drive(const Catalog& base);

}  // namespace tintype::cli
