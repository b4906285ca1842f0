// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>

#include "fs/ntfs/names.h"

namespace tintype::ntfs {

// Calls `visit` for every name in a folder, DOS names too, until it returns false. All index blocks in use are looked at, whatever
// order they are in, so that a tree that leads nowhere or in circles hides nothing; the order is that of the blocks. Memory: one block
// and one window of the bitmap. Error{corrupt} or the drive's error at the end, after all that could be read.
using NameVisit = std::function<bool(FileReference file, const FileName& name)>;
// `first`: names, folded, whose blocks by the order of the index are visited before all others, so that a visit which has found them can
// end early. If the order is broken it takes longer, no more.
Result<void> for_each_name(const Mft& mft, const File& folder, const NameVisit& visit, const UpCase* upcase = nullptr,
                           const std::vector<std::u16string>& first = {});

// Where on the partition the topmost blocks lie that those names belong to by the order of the index; without names, or if it cannot be
// said, all of the blocks. At most a few.
std::vector<Extent> index_places(const Mft& mft, const File& folder, const UpCase& upcase, const std::vector<std::u16string>& names);

// Which attributes of a folder are needed for that.
bool is_index_part(std::uint32_t type, ByteSpan name);

}  // namespace tintype::ntfs
