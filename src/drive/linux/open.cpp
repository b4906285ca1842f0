// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/open.h"
#include "drive/virtual_drive.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <linux/hdreg.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <bit>
#include <cerrno>
#include <chrono>
#include <limits>
#include <thread>

#include "drive/linux/raw_drive.h"
#include "drive/linux/removable.h"
#include "drive/linux/sysfs.h"
#include "drive/test_hooks.h"

namespace tintype {
namespace {

constexpr std::uint64_t kMaxFileBytes = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());

Result<void> check_sector_bytes(std::uint32_t sector_bytes) {
  if (sector_bytes == 0 || (std::has_single_bit(sector_bytes) && sector_bytes >= 512 && sector_bytes <= 65536)) return {};
  return fail(ErrorCode::usage, fmt::format("{} is not a sector size", sector_bytes), "use 512 or 4096");
}

Result<UniqueFd> open_path(const std::string& path, int flags, const char* purpose) {
  int fd;
  do fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
  while (fd < 0 && errno == EINTR);
  if (fd >= 0) return UniqueFd(fd);
  Error error = os_error(errno, fmt::format("cannot open {} for {}", path, purpose));
  if (error.code == ErrorCode::denied && errno != EROFS) error.hint = "does it need more rights (root)?";
  if (error.code == ErrorCode::busy) error.hint = "it is mounted or in use; unmount it first";
  return fail(std::move(error));
}

// udev holds a shared lock for a moment after each change of a device; that is worth waiting for.
Result<void> take_lock(const UniqueFd& fd, bool exclusive, const std::string& path) {
  for (int attempt = 0;; ++attempt) {
    if (::flock(fd.get(), (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0) return {};
    if (errno != EWOULDBLOCK && errno != EINTR) return {};  // a file system without locks
    if (attempt == 10) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return fail(ErrorCode::busy, fmt::format("{} is locked by another program", path),
              "wait until the other backup or restore of it has ended");
}

Result<void> describe_device(int fd, const struct stat& st, DriveInfo& info) {
  int logical = 0, read_only = 0;
  unsigned physical = 0;
  if (::ioctl(fd, BLKGETSIZE64, &info.size_bytes) != 0)
    return fail(os_error(errno, fmt::format("cannot find the size of {}", info.path)));
  if (::ioctl(fd, BLKSSZGET, &logical) != 0 || logical < 512 || !std::has_single_bit(static_cast<unsigned>(logical)))
    return fail(ErrorCode::unsupported, fmt::format("{} does not tell a usable sector size", info.path));
  info.logical_sector_bytes = static_cast<std::uint32_t>(logical);
  info.physical_sector_bytes = ::ioctl(fd, BLKPBSZGET, &physical) == 0 && physical >= info.logical_sector_bytes
                                   ? physical
                                   : info.logical_sector_bytes;
  info.read_only = ::ioctl(fd, BLKROGET, &read_only) == 0 && read_only != 0;
  hd_geometry geometry{};
  if (::ioctl(fd, HDIO_GETGEO, &geometry) == 0) {
    info.geometry = {.cylinders = geometry.cylinders, .heads = geometry.heads, .sectors_per_track = geometry.sectors};
  }
  DeviceIdentity identity = read_identity(sysfs_folder_of({}, major(st.st_rdev), minor(st.st_rdev)));
  info.model = std::move(identity.model);
  info.serial = std::move(identity.serial);
  info.removable = identity.removable;
  return {};
}

Result<std::shared_ptr<Drive>> make_drive(UniqueFd fd, const std::string& path, const OpenOptions& options) {
  struct stat st{};
  if (::fstat(fd.get(), &st) != 0) return fail(os_error(errno, fmt::format("cannot examine {}", path)));
  const bool writing = options.access == OpenOptions::Access::write;
  DriveInfo info;
  info.path = path;
  if (S_ISBLK(st.st_mode)) {
    TRY(describe_device(fd.get(), st, info));
  } else if (S_ISREG(st.st_mode)) {
    info.size_bytes = static_cast<std::uint64_t>(st.st_size);
    info.logical_sector_bytes = info.physical_sector_bytes = options.sector_bytes == 0 ? 512 : options.sector_bytes;
    info.read_only = ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0;
  } else {
    return fail(ErrorCode::usage, fmt::format("{} is neither a file nor a block device", path));
  }
  if (writing && info.read_only) return fail(ErrorCode::denied, fmt::format("{} is read-only", path));
  if (options.lock) TRY(take_lock(fd, writing, path));
  RawDrive::Handles handles;
  if (!writing) std::ignore = ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  handles.buffered = std::move(fd);
  handles.prefer_direct = options.direct;
  handles.block_device = S_ISBLK(st.st_mode);
  handles.writable = writing;
  handles.removable = on_removable_drive(st, path);
  handles.cache = options.cache;
  return with_test_faults(std::make_shared<RawDrive>(std::move(handles), std::move(info)));
}

Result<bool> is_virtual(const std::string& path, bool by_content) {
  if (format_of_name(path)) return true;
  if (!by_content || name_says_raw(path)) return false;
  const std::shared_ptr<Drive> file = TRY(open_drive(path, {.as_raw = true}));
  return TRY(find_format(*file)).has_value();
}

}  // namespace

Result<std::shared_ptr<Drive>> open_drive(const std::string& path, OpenOptions options) {
  TRY(check_sector_bytes(options.sector_bytes));
  const bool writing = options.access == OpenOptions::Access::write;
  struct stat st{};
  // Asked before opening: opening a pipe or a tape has effects of its own, and O_EXCL is for devices only.
  if (::stat(path.c_str(), &st) != 0) {
    Error error = os_error(errno, fmt::format("cannot open {}", path));
    return fail(std::move(error));
  }
  if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
    return fail(ErrorCode::usage, fmt::format("{} is neither a file nor a block device", path));
  if (S_ISREG(st.st_mode) && !options.as_raw && TRY(is_virtual(path, options.by_content))) return open_virtual_drive(path, options);
  const int exclusive = options.exclusive && S_ISBLK(st.st_mode) ? O_EXCL : 0;
  UniqueFd fd = TRY(open_path(path, (writing ? O_RDWR : O_RDONLY) | exclusive, writing ? "writing" : "reading"));
  return make_drive(std::move(fd), path, options);
}

Result<std::shared_ptr<Drive>> create_raw_file(const std::string& path, std::uint64_t size_bytes, CreateOptions options) {
  TRY(check_sector_bytes(options.sector_bytes));
  if (size_bytes > kMaxFileBytes)
    return fail(ErrorCode::no_space, fmt::format("{} cannot hold {} bytes", path, size_bytes));
  OpenOptions open_options{.access = OpenOptions::Access::write, .lock = options.lock, .cache = options.cache,
                           .sector_bytes = options.sector_bytes};
  struct stat st{};
  const bool existed = ::stat(path.c_str(), &st) == 0;
  if (existed && !options.replace) return fail(ErrorCode::exists, fmt::format("{} already exists", path));
  if (existed && !S_ISREG(st.st_mode)) return fail(ErrorCode::usage, fmt::format("{} is not a file", path));
  UniqueFd fd = TRY(open_path(path, O_RDWR | (existed ? 0 : O_CREAT | O_EXCL), "writing"));
  if (options.lock) TRY(take_lock(fd, true, path));
  if ((existed && ::ftruncate(fd.get(), 0) != 0) || ::ftruncate(fd.get(), static_cast<off_t>(size_bytes)) != 0) {
    Error error = os_error(errno, fmt::format("cannot make {} {} bytes long", path, size_bytes));
    if (!existed) ::unlink(path.c_str());
    return fail(std::move(error).with_hint("the file system there may not take files of that size"));
  }
  return make_drive(std::move(fd), path, open_options);
}

Result<bool> reread_table(Drive& drive) {
  const auto* raw = dynamic_cast<RawDrive*>(&drive);
  if (raw == nullptr || !raw->is_block_device()) return false;
  // Right after a write, udev may still be looking at the old partitions.
  for (int attempt = 0;; ++attempt) {
    if (::ioctl(raw->fd(), BLKRRPART) == 0) return true;
    if (errno == EINVAL || errno == ENOTTY || errno == EOPNOTSUPP) return false;  // no partitions on such a device
    if (errno != EBUSY || attempt == 10) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return fail(os_error(errno, fmt::format("the system goes on using the old partition table of {}", drive.info().path)));
}

}  // namespace tintype
