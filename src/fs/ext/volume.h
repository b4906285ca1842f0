// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>

#include "base/extent.h"
#include "drive/drive.h"
#include "fs/ext/journal.h"
#include "fs/ext/superblock.h"

namespace tintype::ext {

// All that is known of a file system whose bitmaps can be believed; what streams share. Immutable.
struct Volume {
  std::shared_ptr<Drive> drive;
  Super super;
  Journal journal;  // empty without an internal journal
  ExtentSet extra;  // in use whatever the group's own bitmap says: boot area, foreign metadata, journal, tail
  bool verify_checksums = true;
};

// Error says why the bitmaps cannot be believed. `raw` is the superblock.
Result<std::shared_ptr<const Volume>> open_volume(std::shared_ptr<Drive> drive, const Super& super, ByteSpan raw,
                                                  bool verify_checksums);

// The used bytes of groups [first, end), without volume->extra; ends with Error{corrupt} at a bitmap that
// contradicts its checksum, its descriptor's count or the place of its own metadata. Holds some MiB of bitmaps.
std::unique_ptr<ExtentStream> stream_groups(std::shared_ptr<const Volume> volume, std::uint64_t first,
                                            std::uint64_t end);

// Just past the last used byte, found from the end of the file system backwards.
Result<std::uint64_t> find_last_used_byte(const std::shared_ptr<const Volume>& volume);

}  // namespace tintype::ext
