// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "fs/fat/table.h"

namespace tintype::fat {

struct RootFile {
  LeftOutFile::Kind kind = LeftOutFile::Kind::page;
  std::string path;
  std::uint32_t first_cluster = 0;  // numbered from 2; 0 if empty
  std::uint64_t size_bytes = 0;
};

struct RootDirectory {
  std::string label;  // of the volume label entry; empty if there is none
  std::vector<RootFile> files;  // page and hibernation files only
  // First clusters of all other files and folders of the root.
  std::vector<std::uint32_t> other_starts;
  bool whole = false;  // read to its end without a contradiction
};

// Reads the root directory (at most 65,536 entries). What a damaged one still gives is returned with `whole` false.
RootDirectory read_root_directory(Drive& partition, Table& table, const Geometry& geometry);

// The data of a file whose chain is as long as its size asks for, never meets a free or bad entry and never turns back.
// Empty if it is anything else, or has more than a million pieces.
Result<std::optional<ExtentSet>> extents_of_chain(Table& table, const Geometry& geometry, const RootFile& file);

// True if an entry outside the chain leads into it, or one inside does not lead where the chain goes: two files share clusters.
Result<bool> is_cross_linked(Table& table, const Geometry& geometry, const RootFile& file, const ExtentSet& extents);

}  // namespace tintype::fat
