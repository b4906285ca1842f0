// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>

#include "fs/ntfs/names.h"

namespace tintype::ntfs {

// Calls `visit` for every name in a folder, DOS names too, until it returns false. All index blocks in use are looked at, whatever
// order they are in, so that a tree that leads nowhere or in circles hides nothing; the order is that of the blocks. Memory: one block
// and one window of the bitmap. Error{corrupt} or the drive's error at the end, after all that could be read.
using NameVisit = std::function<bool(FileReference file, const FileName& name)>;
Result<void> for_each_name(const Mft& mft, const File& folder, const NameVisit& visit);

// Which attributes of a folder are needed for that.
bool is_index_part(std::uint32_t type, ByteSpan name);

}  // namespace tintype::ntfs
