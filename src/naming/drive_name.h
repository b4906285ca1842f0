// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/text.h"

namespace tintype {

// What a drive name says, before anything is looked for. A plain value.
//   0  0@1  0@0x301  0@1,2  w0  w/dev/sdb   drive number, as `list` shows it (w: the system's own device, the same here)
//   /dev/sdb  disk.raw@0x301                a device or raw file
//   #A1B2C3D4  #{GUID}@2  #                 NT disk signature or GPT disk GUID; # alone: the one stored in the image
//   ?/home  ?Windows  ?C:                   a partition by mount point, label or drive letter
//   v3@2                                    a virtual drive defined on the command line
struct DriveName {
  enum class Kind { number, path, signature, guid, image_signature, mount_point, label, letter, virtual_drive };
  Kind kind = Kind::path;
  std::string text;             // as typed
  std::uint32_t number = 0;     // number, virtual_drive
  std::uint32_t signature = 0;  // signature; never 0
  Guid guid{};                  // guid
  std::string word;             // path, mount_point, label, letter ("C")
  std::vector<std::uint32_t> partitions;  // ids as in Partition::id, in the order typed, each once; empty: none named
};

// Whether a file of that name exists; the default asks the file system.
using FileExists = std::function<bool(const std::string&)>;
bool file_exists(const std::string& path);

// A file that exists and has '@' in its name is that file; everything else is read by the forms above ("./0" for a file
// called 0). Errors: usage, with the place and the way out. At most 4096 characters, 128 partitions.
Result<DriveName> parse_drive_name(std::string_view text, const FileExists& exists = file_exists);

// What may stand after '@': "1", "0x301", "769", "1,2". Primary and GPT partitions 1–128, volumes 0xPVV with P 1–4 and VV 01–FF, 0
// for a drive without a table.
Result<std::vector<std::uint32_t>> parse_partition_ids(std::string_view text);

}  // namespace tintype
