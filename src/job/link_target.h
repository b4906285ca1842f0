// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <span>
#include <string>

#include "fs/file_tree.h"

namespace tintype {

// What a symbolic link made here has to say so that it means what it meant there.
// - Of a file system with symbolic links of its own: its target as it stands.
// - An NTFS symbolic link or junction: '\' becomes '/'. One with a drive letter or a volume name leads from the root of some
//   partition: it becomes a relative link if this partition has that path; nothing if it has not.
// `parents`: from the root to the folder that the link lies in.
Result<std::optional<std::string>> portable_target(FileTree& tree, std::span<const FileNode> parents, const std::string& target);

}  // namespace tintype
