// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <string_view>

#include "fs/ext/inode.h"
#include "fs/file_tree.h"

namespace tintype::ext {

// The content of a file, folder or link: inline, in blocks, or in the place of the block map. Error{unsupported} if it is encrypted
// and no folder.
Result<std::unique_ptr<FileContent>> content_of(std::shared_ptr<Drive> drive, const Super& super, const Inode& inode);

// Calls for each entry in use, "." and ".." too (an inline folder has no "."), until visit returns false. Leaves of hashed folders are
// read in their order on the drive: an index block looks like one without entries. A damaged block is passed over and told at the end.
using EntryVisitor = std::function<bool(std::uint32_t inode, std::string_view name)>;
Result<void> for_each_entry(const std::shared_ptr<Drive>& drive, const Super& super, const Inode& folder, const EntryVisitor& visit);

}  // namespace tintype::ext
