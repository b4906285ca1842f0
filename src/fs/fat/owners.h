// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>

#include "fs/fat/table.h"
#include "fs/file_tree.h"

namespace tintype::fat {

// FileTree::owners() for FAT: one walk through all folders, following every chain; memory grows with the depth only.
Result<std::vector<ByteOwner>> owners_of(std::shared_ptr<Drive> partition, std::shared_ptr<Table> table, const Geometry& geometry,
                                         const ExtentSet& bytes);

}  // namespace tintype::fat
