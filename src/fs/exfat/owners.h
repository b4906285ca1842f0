// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>

#include "fs/exfat/bitmap.h"
#include "fs/exfat/folder.h"

namespace tintype::exfat {

// FileTree::owners() for exFAT: one walk through all folders. `root`: null if the bitmap cannot be trusted.
Result<std::vector<ByteOwner>> owners_of(std::shared_ptr<Drive> partition, std::shared_ptr<Table> table, const Geometry& geometry,
                                         const Root* root, const ExtentSet& bytes);

}  // namespace tintype::exfat
