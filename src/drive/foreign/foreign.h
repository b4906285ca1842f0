// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "drive/drive.h"

namespace tintype {

// Images of other programs as read-only drives:
//   sda1.ext4-ptcl-img.gz.aa, p.img   a partclone image, plain, gzip, zstd, xz, lz4 or bzip2, in one file or split into .aa, .ab …
//   /images/2026-01-01/               a Clonezilla folder with one disk
//   /images/2026-01-01/sda            one disk of a Clonezilla folder
// Null if the path is none of them; what a file is, its bytes decide and not its name.
// Errors: of images that are damaged or not handled; usage for a folder with several disks, which names them.
Result<std::shared_ptr<Drive>> open_foreign(const std::string& path, std::uint32_t sector_bytes = 0);

// What going through all of such an image found.
struct ForeignCheck {
  std::uint64_t checked_bytes = 0;
  std::vector<std::string> damage;  // sentences
};
// Reads every file of it from front to back and compares every checksum, also those that reading here and there cannot verify. Each file is read
// through what `wrap` makes of it; `advance` hears of the bytes, and ends it with the error that it returns. Errors: as of open_foreign().
using WrapDrive = std::function<std::shared_ptr<Drive>(std::shared_ptr<Drive>)>;
Result<ForeignCheck> check_foreign(const std::string& path, const WrapDrive& wrap, const std::function<Result<void>(std::uint64_t bytes)>& advance);

// Whether open_foreign() would try, without opening all of it.
bool is_foreign(const std::string& path);

}  // namespace tintype
