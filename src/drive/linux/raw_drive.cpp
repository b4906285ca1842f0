// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/linux/raw_drive.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace tintype {
namespace {

constexpr std::uint64_t kPageBytes = 4096;         // what the page cache reads at least
constexpr std::size_t kRescueBytes = 64 * 1024;    // the largest read of rescue_read() after its first
constexpr std::uint64_t kNear = 1 << 20;           // more than the range of one rescue_read() for a chunk

std::unexpected<Error> fail_at(int error_number, std::string what, std::uint64_t offset) {
  Error error = os_error(error_number, std::move(what));
  error.offset_bytes = offset;
  return fail(std::move(error));
}

}  // namespace

RawDrive::RawDrive(Handles handles, DriveInfo info)
    : handles_(std::move(handles)),
      info_(std::move(info)),
      direct_(handles_.buffered.get(), handles_.writable, info_.logical_sector_bytes),
      write_behind_(fd(), handles_.cache, handles_.removable) {
  if (!handles_.cache.keep_read) read_behind_.emplace(fd(), info_.size_bytes);
}

ssize_t RawDrive::read_some(std::uint64_t offset, MutableByteSpan out) {
  if (handles_.prefer_direct || (out.size() <= kRescueBytes && near_failure(offset))) {
    const ssize_t n = direct_.read(offset, out);
    if (n > 0 || (n < 0 && errno != EINVAL)) return n;  // a file system may want more alignment than the drive said
  }
  const ssize_t n = ::pread(fd(), out.data(), out.size(), static_cast<off_t>(offset));
  if (n >= 0 || errno != EIO) return n;
  read_failed_at_ = offset;
  return read_sectors(offset, out);
}

bool RawDrive::near_failure(std::uint64_t offset) const {
  const std::uint64_t failed = read_failed_at_;
  return failed != kNever && std::max(failed, offset) - std::min(failed, offset) < kNear;
}

// The rest of the page that the cache could not fill, up to the sector that fails.
ssize_t RawDrive::read_sectors(std::uint64_t offset, MutableByteSpan out) {
  const std::uint64_t sector = info_.logical_sector_bytes;
  const std::uint64_t end = std::min(offset + out.size(), round_up(offset + 1, std::max(kPageBytes, sector)));
  std::uint64_t at = offset;
  while (at < end) {
    const std::uint64_t piece = std::min(end - at, sector - at % sector);
    const ssize_t n = direct_.read(at, out.subspan(static_cast<std::size_t>(at - offset), static_cast<std::size_t>(piece)));
    if (n <= 0) break;
    at += static_cast<std::uint64_t>(n);
  }
  errno = EIO;
  return at > offset ? static_cast<ssize_t>(at - offset) : -1;
}

ssize_t RawDrive::write_some(std::uint64_t offset, ByteSpan data) {
  if (handles_.prefer_direct || flush_failed_) {
    const ssize_t n = direct_.write(offset, data);
    // Halves, down to the sector that fails: a failed request does not say where.
    if (n < 0 && errno == EIO && data.size() > info_.logical_sector_bytes) {
      const std::uint64_t half = round_down(data.size() / 2, info_.logical_sector_bytes);
      return write_some(offset, data.first(std::max<std::size_t>(half, info_.logical_sector_bytes)));
    }
    if (n > 0 || (n < 0 && errno != EINVAL)) return n;
  }
  return ::pwrite(fd(), data.data(), data.size(), static_cast<off_t>(offset));
}

Result<void> RawDrive::check_writable() const {
  if (handles_.writable) return {};
  return fail(ErrorCode::denied, fmt::format("{} was opened for reading only", info_.path));
}

Result<void> RawDrive::read(std::uint64_t offset, MutableByteSpan out) {
  TRY(check_range(offset, out.size()));
  if (read_behind_) read_behind_->will_read(offset, out.size());
  while (!out.empty()) {
    const ssize_t n = read_some(offset, out);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_at(errno, fmt::format("cannot read from {}", info_.path), offset);
    if (n == 0) {
      Error error = make_error(ErrorCode::io, fmt::format("{} ended early while it was read", info_.path),
                               "is something else changing it?");
      error.offset_bytes = offset;
      return fail(std::move(error));
    }
    out = out.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<void> RawDrive::write(std::uint64_t offset, ByteSpan data) {
  TRY(check_range(offset, data.size()));
  TRY(check_writable());
  while (!data.empty()) {
    const ssize_t n = write_some(offset, data);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail_at(n < 0 ? errno : EIO, fmt::format("cannot write to {}", info_.path), offset);
    write_behind_.wrote(offset, static_cast<std::uint64_t>(n));
    data = data.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<void> RawDrive::zero(std::uint64_t offset, std::uint64_t length) {
  TRY(check_range(offset, length));
  TRY(check_writable());
  if (length == 0) return {};
  // Devices take whole sectors only; what sticks out on either side is written.
  const std::uint64_t step = handles_.block_device ? info_.logical_sector_bytes : 1;
  const std::uint64_t from = round_up(offset, step), to = round_down(offset + length, step);
  if (from >= to) return write_zeros(offset, length);
  TRY(write_zeros(offset, from - offset));
  if (!zero_fast(from, to - from)) TRY(write_zeros(from, to - from));
  return write_zeros(to, offset + length - to);
}

// False if the system cannot do it, for whatever reason: writing then either works or says exactly where it fails.
bool RawDrive::zero_fast(std::uint64_t offset, std::uint64_t length) {
  const auto start = static_cast<off_t>(offset), count = static_cast<off_t>(length);
  // On block devices too this promises zeros afterwards, and gives the storage back where the device can (fallocate(2)).
  if (::fallocate(fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start, count) == 0) return true;
  if (handles_.block_device) {
    std::array<std::uint64_t, 2> range{offset, length};
    return ::ioctl(fd(), BLKZEROOUT, range.data()) == 0;
  }
  return ::fallocate(fd(), FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, start, count) == 0;
}

Result<void> RawDrive::write_zeros(std::uint64_t offset, std::uint64_t length) {
  alignas(4096) static constexpr std::array<std::byte, 256 * 1024> kZeros{};
  while (length > 0) {
    const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(length, kZeros.size()));
    TRY(write(offset, ByteSpan(kZeros).first(n)));
    offset += n;
    length -= n;
  }
  return {};
}

Result<void> RawDrive::trim(std::uint64_t offset, std::uint64_t length) {
  TRY(check_range(offset, length));
  TRY(check_writable());
  const std::uint64_t step = handles_.block_device ? info_.logical_sector_bytes : 1;
  const std::uint64_t from = round_up(offset, step), to = round_down(offset + length, step);
  if (from >= to) return {};
  // A hint: a system that cannot do it has done no harm.
  if (handles_.block_device) {
    std::array<std::uint64_t, 2> range{from, to - from};
    std::ignore = ::ioctl(fd(), BLKDISCARD, range.data());
  } else {
    std::ignore = ::fallocate(fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(from),
                              static_cast<off_t>(to - from));
  }
  return {};
}

Result<void> RawDrive::flush() {
  if (!handles_.writable) return {};
  int code = 0;
  do code = ::fdatasync(fd()) == 0 ? 0 : errno;
  while (code == EINTR);
  const Result<void> earlier = write_behind_.take_failure();
  if (code != 0) {
    Error error = os_error(code, fmt::format("what was written to {} did not reach it", info_.path));
    if (error.code == ErrorCode::io) flush_failed_ = true;
    return fail(std::move(error));
  }
  if (!earlier) {
    flush_failed_ = true;
    return fail(Error(earlier.error()).within(info_.path));
  }
  write_behind_.flushed();
  return {};
}

// The run of data or hole that begins at offset, as far as the file system knows it.
BlockStatus RawDrive::ask_status(std::uint64_t offset) const {
  const std::uint64_t size = info_.size_bytes;
  const BlockStatus data_to_end{{offset, size - offset}, BlockState::data};
  const off_t data = ::lseek(fd(), static_cast<off_t>(offset), SEEK_DATA);
  if (data < 0) return errno == ENXIO ? BlockStatus{data_to_end.extent, BlockState::hole} : data_to_end;
  const auto data_start = std::min(static_cast<std::uint64_t>(data), size);
  if (data_start > offset) return {{offset, data_start - offset}, BlockState::hole};
  const off_t hole = ::lseek(fd(), static_cast<off_t>(offset), SEEK_HOLE);
  if (hole <= static_cast<off_t>(offset)) return data_to_end;
  return {{offset, std::min(static_cast<std::uint64_t>(hole), size) - offset}, BlockState::data};
}

Result<BlockStatus> RawDrive::status(std::uint64_t offset, std::uint64_t length) {
  TRY(check_range(offset, length));
  if (handles_.block_device || length == 0) return BlockStatus{{offset, length}, BlockState::data};
  const auto cut = [&](const BlockStatus& run) {
    return BlockStatus{{offset, std::min(length, run.extent.end() - offset)}, run.state};
  };
  // A drive that is being written would make a remembered answer wrong.
  if (handles_.writable) return cut(ask_status(offset));
  const std::lock_guard lock(status_mutex_);
  if (offset < last_status_.extent.start || offset >= last_status_.extent.end()) last_status_ = ask_status(offset);
  return cut(last_status_);
}

void RawDrive::will_need(std::uint64_t offset, std::uint64_t length) {
  if (handles_.prefer_direct || !fits(offset, length, info_.size_bytes) || length == 0) return;
  if (read_behind_) read_behind_->will_read(offset, length);
  // One hint a chunk: cut into pieces of 128 KiB, requests get smaller, and a drive of 10 ms a request took three times as long.
  std::ignore = ::posix_fadvise(fd(), static_cast<off_t>(offset), static_cast<off_t>(length), POSIX_FADV_WILLNEED);
}

void RawDrive::drop_cache() {
  // The one is for root and takes in what others read of the device; the other is for everybody.
  if (handles_.block_device) std::ignore = ::ioctl(fd(), BLKFLSBUF, 0);
  std::ignore = ::posix_fadvise(fd(), 0, 0, POSIX_FADV_DONTNEED);
}

}  // namespace tintype
