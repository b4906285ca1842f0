// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>

#include "base/extent.h"
#include "drive/drive.h"
#include "fs/reiserfs/superblock.h"

namespace tintype::reiserfs {

// The bytes that bitmaps [first, end) mark as used. Over all bitmaps it ends with Error{corrupt} if they hold fewer
// blocks than the superblock counts. Holds a few MiB of bitmaps; the drive must outlive it.
std::unique_ptr<ExtentStream> stream_bitmaps(std::shared_ptr<Drive> drive, const Super& super, std::uint64_t first,
                                             std::uint64_t end);

}  // namespace tintype::reiserfs
