// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <sys/types.h>

#include <mutex>

#include "drive/drive.h"
#include "drive/linux/unique_fd.h"

namespace tintype {

// A regular file or block device through pread and pwrite. Nothing depends on a file position, so threads need no lock.
class RawDrive final : public Drive {
 public:
  struct Handles {
    UniqueFd buffered;
    UniqueFd direct;  // the same object opened with O_DIRECT; absent unless asked for
    bool block_device = false;
    bool writable = false;
  };
  RawDrive(Handles handles, DriveInfo info);

  const DriveInfo& info() const override { return info_; }
  Result<void> read(std::uint64_t offset, MutableByteSpan out) override;
  Result<void> write(std::uint64_t offset, ByteSpan data) override;
  Result<void> zero(std::uint64_t offset, std::uint64_t length) override;
  Result<void> trim(std::uint64_t offset, std::uint64_t length) override;
  Result<void> flush() override;
  Result<BlockStatus> status(std::uint64_t offset, std::uint64_t length) override;
  void will_need(std::uint64_t offset, std::uint64_t length) override;

  int fd() const { return handles_.buffered.get(); }
  bool is_block_device() const { return handles_.block_device; }

 private:
  bool can_go_direct(std::uint64_t offset, const void* data, std::size_t length) const;
  ssize_t read_some(std::uint64_t offset, MutableByteSpan out) const;
  ssize_t write_some(std::uint64_t offset, ByteSpan data) const;
  Result<void> check_writable() const;
  Result<void> write_zeros(std::uint64_t offset, std::uint64_t length);
  bool zero_fast(std::uint64_t offset, std::uint64_t length);
  BlockStatus ask_status(std::uint64_t offset) const;

  Handles handles_;
  DriveInfo info_;
  std::mutex status_mutex_;
  BlockStatus last_status_;  // read-only drives: the whole run that the last answer was cut from
};

}  // namespace tintype
