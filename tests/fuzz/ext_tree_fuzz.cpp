// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/file_trees.h"
#include "tree_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tintype::fuzz::run_tree(tintype::open_ext_tree, data, size);
  return 0;
}
