// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>

#include "drive/drive.h"

namespace tintype {

// A drive with what is written to it kept elsewhere: reads see `store` where something was written and `below` everywhere else.
// `below` is never written. `store` must be at least as large and read as zeros where it was not written (a new sparse file, memory).
// Which 4 KiB blocks lie in the store is known in memory alone (32 KiB for each GiB that was written in), so the overlay ends with
// the object.
std::shared_ptr<Drive> make_overlay_drive(std::shared_ptr<Drive> below, std::shared_ptr<Drive> store);

// A sparse file of the given size in a folder (empty: $TMPDIR, else /var/tmp), without a name: it is gone when the drive is, however the
// program ends.
Result<std::shared_ptr<Drive>> make_scratch_file(const std::string& folder, std::uint64_t size_bytes);

}  // namespace tintype
