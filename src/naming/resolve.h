// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "drive/drive.h"
#include "drive/list.h"
#include "layout/layout.h"
#include "naming/drive_name.h"
#include "naming/machine.h"

namespace tintype {

// What a name means here and now.
struct ResolvedDrive {
  std::shared_ptr<Drive> drive;           // opened as asked for
  Layout layout;                          // as read from it
  std::vector<std::uint32_t> partitions;  // each is in the layout and no extended container (or 0 on a drive without table)
  std::optional<ListedDrive> listed;      // if it is one of the machine's drives
};

struct ResolveOptions {
  OpenOptions open;
  // What "#" alone stands for, as Layout::signature_text(): "A1B2C3D4" or a GUID. Empty: "#" is an error.
  std::string image_signature{};
};

// Finds the drive, opens it, reads its tables and checks that the partitions are there. Other drives are only read, for
// signatures and labels. A raw file's sector size is found out by its GPT unless open.sector_bytes tells it.
// Errors say what there is instead: not_found; usage if two drives fit (clones have the same signature); unsupported
// for virtual drives and drive letters; what opening and reading give.
Result<ResolvedDrive> resolve(const DriveName& name, Machine& machine, const ResolveOptions& options = {});
Result<ResolvedDrive> resolve(const std::string& name, Machine& machine, const ResolveOptions& options = {});

// One partition of it as a drive of its own, named "disk.raw@0x1"; id 0 of a drive without a table: all of it.
// Errors: not_found; corrupt if the table's entry leaves the drive.
Result<std::shared_ptr<Drive>> open_partition(const std::shared_ptr<Drive>& drive, const Layout& layout, std::uint32_t id);

}  // namespace tintype
