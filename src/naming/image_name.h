// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "drive/open.h"
#include "naming/drive_name.h"

namespace tintype {

// What the name of an image file says.
//   /mnt/bk/pc  pc.tti              a path; the extension may be left out
//   0@1:\path\pc  #A1B2C3D4@1:/pc   a file inside a partition that need not be mounted
//   o0:\pc  o:\pc                   an optical drive
//   \\server\share\pc               a share
//   x:\pc                           a drive letter
struct ImageName {
  enum class Kind { local, partition, optical, share, letter };
  Kind kind = Kind::local;
  std::string text;                // as typed
  std::string path;                // local: as typed; partition, optical, letter: after the colon; share: as typed
  std::optional<DriveName> drive;  // partition, optical
};

// Errors: usage. Nothing is looked for, except that an existing file of exactly that name is that file.
Result<ImageName> parse_image_name(std::string_view text, const FileExists& exists = file_exists);

// The path of the image's first part: for reading, the file as typed if it exists, else with ".tti"; for writing, ".tti"
// is put behind what does not end in it.
// In a partition that is not mounted: the name with '/' and the extension, such as 0@1:/backups/pc.tti.
// Errors: not_found with both names tried; usage for a folder; unsupported for optical drives, shares and letters.
enum class ImageUse { read, write };
Result<std::string> resolve_image_path(const ImageName& name, ImageUse use);

// The partition that a name of kind partition means. Errors: what resolve() and open_partition() say.
Result<std::shared_ptr<Drive>> open_partition_of(const ImageName& name, const OpenOptions& open = {});
// The same name with another path in the partition.
std::string inside_text(const ImageName& name, const std::string& path);

}  // namespace tintype
