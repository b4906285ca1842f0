// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/writers/ntfs_device.h"

#include <fcntl.h>

#include <algorithm>

#include "store/writers/ntfs_library.h"

namespace tintype {
namespace {

NtfsIo& io_of(ntfs_device* device) { return *static_cast<NtfsIo*>(device->d_private); }

s64 failed(NtfsIo& io, Error error) {
  if (!io.error) io.error = std::move(error);
  errno = EIO;
  return -1;
}

int open_device(ntfs_device* device, int flags) {
  NDevSetOpen(device);
  if ((flags & O_RDWR) != O_RDWR) NDevSetReadOnly(device);
  return 0;
}

int sync_device(ntfs_device* device) {
  Result<void> done = io_of(device).drive->flush();
  return done ? 0 : static_cast<int>(failed(io_of(device), std::move(done).error()));
}

int close_device(ntfs_device* device) {
  const int done = NDevReadOnly(device) ? 0 : sync_device(device);
  NDevClearOpen(device);
  return done;
}

// As files do it: short at the end.
s64 read_at(ntfs_device* device, void* buffer, s64 count, s64 offset) {
  NtfsIo& io = io_of(device);
  const auto size = static_cast<s64>(io.drive->size_bytes());
  if (count < 0 || offset < 0) return errno = EINVAL, -1;
  count = std::min(count, std::max<s64>(size - offset, 0));
  if (count == 0) return 0;
  Result<void> done = io.drive->read(static_cast<std::uint64_t>(offset), {static_cast<std::byte*>(buffer), static_cast<std::size_t>(count)});
  return done ? count : failed(io, std::move(done).error());
}

s64 write_at(ntfs_device* device, const void* buffer, s64 count, s64 offset) {
  NtfsIo& io = io_of(device);
  if (NDevReadOnly(device)) return errno = EROFS, -1;
  if (count < 0 || offset < 0) return errno = EINVAL, -1;
  NDevSetDirty(device);
  Result<void> done = io.drive->write(static_cast<std::uint64_t>(offset), {static_cast<const std::byte*>(buffer), static_cast<std::size_t>(count)});
  return done ? count : failed(io, std::move(done).error());
}

s64 seek(ntfs_device* device, s64 offset, int whence) {
  NtfsIo& io = io_of(device);
  const s64 base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? io.position : static_cast<s64>(io.drive->size_bytes());
  if (base + offset < 0) return errno = EINVAL, -1;
  return io.position = base + offset;
}

s64 read_here(ntfs_device* device, void* buffer, s64 count) {
  const s64 done = read_at(device, buffer, count, io_of(device).position);
  if (done > 0) io_of(device).position += done;
  return done;
}

s64 write_here(ntfs_device* device, const void* buffer, s64 count) {
  const s64 done = write_at(device, buffer, count, io_of(device).position);
  if (done > 0) io_of(device).position += done;
  return done;
}

int stat_device(ntfs_device* device, struct stat* facts) {
  *facts = {};
  facts->st_mode = S_IFREG | 0600;
  facts->st_size = static_cast<off_t>(io_of(device).drive->size_bytes());
  return 0;
}

// Sizes are then found by reading.
int ask_device(ntfs_device*, unsigned long, void*) { return errno = EOPNOTSUPP, -1; }

}  // namespace

ntfs_device* make_ntfs_device(NtfsIo& io) {
  static ntfs_device_operations operations = {
      .open = open_device, .close = close_device, .seek = seek, .read = read_here, .write = write_here,
      .pread = read_at, .pwrite = write_at, .sync = sync_device, .stat = stat_device, .ioctl = ask_device};
  return ntfs_device_alloc(io.drive->info().path.c_str(), 0, &operations, &io);
}

}  // namespace tintype
