// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <vector>

#include "fs/file_tree.h"
#include "job/list.h"

namespace tintype::cli {

// A file as ls shows it.
struct LsEntry {
  const FileNode& node;
  std::string path;                    // whole
  std::optional<std::string> target;   // of a link
  std::vector<NamedStream> streams;    // with --long
};

// A line (with streams: several) without the last newline. `shown`: the name or path to print.
std::string ls_line(const LsEntry& entry, const std::string& shown, bool details);
// One JSON object: the event "entry" of docs/json-events.md.
std::string ls_json(const LsEntry& entry);

// The partitions of an image or drive: a table, and one JSON object for each.
std::string partitions_text(const DriveListing& listing, bool of_image);
std::string partition_json(const PartitionListing& partition, const DriveListing& listing, bool of_image);

}  // namespace tintype::cli
