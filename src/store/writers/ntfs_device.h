// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <optional>

#include "drive/drive.h"

struct ntfs_device;

namespace tintype {

// How libntfs-3g reaches a Drive. Must outlive the volume.
struct NtfsIo {
  explicit NtfsIo(std::shared_ptr<Drive> on) : drive(std::move(on)) {}
  std::shared_ptr<Drive> drive;
  std::int64_t position = 0;
  std::optional<Error> error;  // the first that the drive gave
};

// Null if there is no memory. The library frees it with the volume.
ntfs_device* make_ntfs_device(NtfsIo& io);

}  // namespace tintype
