// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>

#include "fs/file_tree.h"
#include "fs/ntfs/mft.h"

namespace tintype::ntfs {

// The bytes of a stream. The $MFT must outlive it. Error{unsupported} if it is encrypted or compressed in a way that NTFS
// does not know, Error{corrupt} if its sizes cannot be.
Result<std::unique_ptr<FileContent>> open_content(const Mft& mft, Stream stream);
// Bytes that are at hand.
std::unique_ptr<FileContent> content_of(Bytes bytes);

}  // namespace tintype::ntfs
