// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <mutex>

#include "base/bytes.h"
#include "drive/linux/unique_fd.h"

namespace tintype {

// An open file or device once more, past the page cache (O_DIRECT): the cache fails by pages of 4 KiB where a drive fails by
// sectors, and tells of a write that failed only later, without its place. Opened when first needed. Many threads may use it.
class DirectFile {
 public:
  // `fd` stays open as long as this lives.
  DirectFile(int fd, bool writable, std::uint32_t sector_bytes) : fd_(fd), writable_(writable), sector_bytes_(sector_bytes) {}

  // As pread(2) and pwrite(2), and as they may do less than asked for. -1 with errno EINVAL: not possible this way, because the
  // file system cannot, or because a write is not of whole sectors. Positions and memory of reads need no alignment.
  ssize_t read(std::uint64_t offset, MutableByteSpan out);
  ssize_t write(std::uint64_t offset, ByteSpan data);

 private:
  bool ready();
  bool aligned(std::uint64_t number) const { return number % sector_bytes_ == 0; }

  int fd_;
  bool writable_;
  std::uint32_t sector_bytes_;
  std::once_flag once_;
  UniqueFd direct_;
};

}  // namespace tintype
