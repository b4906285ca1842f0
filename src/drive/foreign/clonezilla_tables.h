// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "drive/composite_drive.h"
#include "drive/foreign/sfdisk_dump.h"

namespace tintype {

// A small file of the folder by its name behind the disk's ("-mbr") or a whole name; empty if there is none.
using FolderFile = std::function<std::optional<Bytes>(const std::string& name)>;

// The sectors of a disk that lie outside its partitions, as pieces of it, what matters most first. `disk` as in the file names.
std::vector<CompositePiece> clonezilla_tables(const SfdiskDump& dump, const std::string& disk, std::uint32_t sector_bytes, std::uint64_t drive_bytes,
                                              const FolderFile& file);

// The first page of a swap partition (mm/swapfile.c, union swap_header), from swappt-sda2.info: UUID="…", LABEL="…".
Bytes swap_header(const std::string& info, std::uint64_t partition_bytes);

}  // namespace tintype
