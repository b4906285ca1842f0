// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "fs/file_tree.h"
#include "job/list.h"
#include "job/lost_ranges.h"

namespace tintype {

// An image or a drive whose files can be looked at.
struct FileSource {
  std::shared_ptr<Drive> drive;
  std::shared_ptr<ImageReader> image;  // null: a drive
  Layout layout;
  DriveListing listing;
};
FileSource file_source_of(std::shared_ptr<ImageReader> image, const std::string& path);
FileSource file_source_of(const ResolvedDrive& drive);

// The files of one partition of it.
struct OpenedTree {
  std::string partition_id;  // as typed after '@'
  std::shared_ptr<Drive> partition;
  std::shared_ptr<FileTree> tree;
  LostRanges lost;
  std::uint64_t used_bytes = 0;  // by the file system's own count; 0: not known
};

// Partition `id`, or the only one with files that can be read. Errors: usage naming the choice if there are several; not_found if
// the image does not hold it; unsupported.
Result<OpenedTree> open_tree(const FileSource& source, std::optional<std::uint32_t> id);

}  // namespace tintype
