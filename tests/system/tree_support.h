// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "fs/file_tree.h"

namespace tintype::test {

// What a judge's copy of a tree can be asked beside names, kinds, sizes and contents.
struct Compared {
  bool modes = true;     // permission bits, owner, group, links, changed
  bool accessed = true;
  bool created = true;
  bool modified = true;
  bool folder_times = true;
  std::uint64_t time_step_ns = 1;  // times may differ by less than this
};

Result<std::unique_ptr<FileTree>> open_tree(const std::filesystem::path& image);

// Empty if the tree holds what the folder holds; else what differs, a line each. Contents are read in pieces of odd sizes, and runs
// that next_data() calls holes must be zeros.
std::string differences(FileTree& tree, const std::filesystem::path& folder, const Compared& compared = {});

// Who owns one block of bytes, as "kind: what", joined by ", ".
std::string owner_of(FileTree& tree, const Extent& bytes);

}  // namespace tintype::test
