// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "drive/drive.h"
#include "drive/in_use.h"
#include "fs/filesystem.h"
#include "image/reader.h"
#include "layout/layout.h"
#include "naming/machine.h"
#include "naming/resolve.h"

namespace tintype {

// A partition as `list` shows it. Text in it is as stored: use printable() before showing it.
struct PartitionListing {
  Partition entry;
  std::string id;        // as typed after '@'
  FsInfo fs;             // type unknown for an extended partition, which holds none
  bool looked_at = false;  // false: the file system is not known (damaged entry, unreadable, not in the image)
  std::string warning;   // what is odd; empty if nothing is
  std::vector<std::string> mount_points;
  // Images only: what the image holds of it.
  bool saved = false;
  std::uint64_t saved_bytes = 0;
  std::uint64_t stored_bytes = 0;
};

struct DriveListing {
  std::optional<unsigned> number;  // none for files and for the source of an image
  std::optional<unsigned> virtual_number;  // v0 … v9
  DriveInfo info;
  Layout layout;
  std::vector<PartitionListing> partitions;
  std::vector<Use> uses;
  std::vector<std::string> warnings;  // damaged tables, or why nothing can be said
};

// One image of a chain.
struct ChainListing {
  std::string set_id;  // hex
  std::string kind, name, path;  // path: of its first part; empty if it was not found
  std::int64_t created = 0;      // seconds since 1970 UTC
  std::uint64_t size_bytes = 0;    // of all its parts: what it adds
  std::uint64_t stored_bytes = 0;  // of that, data
  std::string problem;           // why it cannot be used; empty if it can
};

struct ImageListing {
  std::string path;
  PartHeader header;
  Catalog catalog;
  std::vector<std::uint64_t> part_bytes;
  DriveListing source;  // the drive as it was when the image was made
  std::vector<ChainListing> chain;  // the images it builds on, oldest first, and last itself
};

// Every drive of the machine. What cannot be opened or read is listed with a warning; the only error is that the
// machine cannot be asked.
Result<std::vector<DriveListing>> list_machine(Machine& machine);

// One opened drive. Never fails: damage becomes warnings.
DriveListing list_drive(const ResolvedDrive& drive);

// What an image says about itself, its source and its chain. Reads no chunks.
ImageListing list_image(ImageReader& image, std::string path);

}  // namespace tintype
