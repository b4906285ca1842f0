// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>

#include "base/result.h"
#include "fs/filesystem.h"

namespace tintype {

// Whether a file system takes a new file or folder of that name, and systems that know it can open it: NTFS and FAT no name that is no UTF-8, nor one
// that Windows keeps for devices or reads otherwise. `room_bytes`: so much longer the name, or one made of it, may become. Error{usage}.
// Source: Microsoft, "Naming Files, Paths, and Namespaces".
Result<void> check_file_name(FsType type, const std::string& name, std::size_t room_bytes = 0);

}  // namespace tintype
