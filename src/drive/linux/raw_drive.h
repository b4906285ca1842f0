// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <sys/types.h>

#include <atomic>
#include <mutex>
#include <optional>

#include "drive/drive.h"
#include "drive/linux/direct_file.h"
#include "drive/linux/read_behind.h"
#include "drive/linux/unique_fd.h"
#include "drive/linux/write_behind.h"

namespace tintype {

// A regular file or block device through pread and pwrite. Nothing depends on a file position, so threads need no lock.
// Near a read that failed, small reads go past the page cache, and once a flush has failed, writes do: only that way a drive
// says which sectors are bad.
class RawDrive final : public Drive {
 public:
  struct Handles {
    UniqueFd buffered;
    bool prefer_direct = false;  // go past the page cache always
    bool block_device = false;
    bool writable = false;
    bool removable = false;  // it is, or lies on, a removable drive
    CacheUse cache;
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
  void drop_cache() override;

  int fd() const { return handles_.buffered.get(); }
  bool is_block_device() const { return handles_.block_device; }

 private:
  bool near_failure(std::uint64_t offset) const;
  ssize_t read_some(std::uint64_t offset, MutableByteSpan out);
  ssize_t read_sectors(std::uint64_t offset, MutableByteSpan out);
  ssize_t write_some(std::uint64_t offset, ByteSpan data);
  Result<void> check_writable() const;
  Result<void> write_zeros(std::uint64_t offset, std::uint64_t length);
  bool zero_fast(std::uint64_t offset, std::uint64_t length);
  BlockStatus ask_status(std::uint64_t offset) const;

  Handles handles_;
  DriveInfo info_;
  DirectFile direct_;
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};
  std::atomic<std::uint64_t> read_failed_at_{kNever};  // the last read that failed in the cache
  std::atomic<bool> flush_failed_{false};
  std::optional<ReadBehind> read_behind_;  // absent where the cache may keep what is read
  WriteBehind write_behind_;
  std::mutex status_mutex_;
  BlockStatus last_status_;  // read-only drives: the whole run that the last answer was cut from
};

}  // namespace tintype
