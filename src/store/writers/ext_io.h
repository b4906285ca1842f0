// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <ext2fs/ext2fs.h>

#include <memory>
#include <optional>

#include "drive/drive.h"

namespace tintype {

// How libext2fs reaches a Drive. Lives until after the file system is closed.
class ExtIo {
 public:
  explicit ExtIo(std::shared_ptr<Drive> drive) : drive_(std::move(drive)) {}
  // ext2fs_open() by way of it.
  errcode_t open(int flags, ext2_filsys* out);

  Drive& drive() { return *drive_; }
  errcode_t failed(Error error) {
    error_ = std::move(error);
    return EIO;
  }
  // What the drive said when the library was last told EIO; taken.
  std::optional<Error> take_error() { return std::exchange(error_, {}); }

 private:
  std::shared_ptr<Drive> drive_;
  std::optional<Error> error_;
};

}  // namespace tintype
