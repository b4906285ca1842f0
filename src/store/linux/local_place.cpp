// SPDX-License-Identifier: GPL-3.0-or-later
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>

#include "drive/linux/read_behind.h"
#include "drive/linux/removable.h"
#include "drive/linux/write_behind.h"
#include "store/place.h"

namespace tintype {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

struct LocalLock final : PlaceLock {
  explicit LocalLock(Descriptor taken) : fd(std::move(taken)) {}
  Descriptor fd;
};

class LocalAppendFile final : public AppendFile {
 public:
  LocalAppendFile(Descriptor fd, std::string path, const CacheUse& cache, bool removable, std::uint64_t size = 0)
      : fd_(std::move(fd)), path_(std::move(path)), size_(size), write_behind_(fd_.get(), cache, removable) {}

  Result<void> append(std::span<const ByteSpan> pieces) override {
    TRY(lost_nothing());
    std::array<iovec, 8> vectors{};
    if (pieces.size() > vectors.size()) return fail(ErrorCode::usage, "too many pieces for one append");
    std::size_t count = 0;
    for (const ByteSpan piece : pieces)
      if (!piece.empty()) vectors[count++] = {const_cast<std::byte*>(piece.data()), piece.size()};
    for (std::size_t at = 0; at < count;) {
      const ssize_t n = ::writev(fd_.get(), &vectors[at], static_cast<int>(count - at));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail(os_error(errno, fmt::format("cannot write to {}", path_)));
      if (n == 0) return fail(os_error(ENOSPC, fmt::format("cannot write to {}", path_)));
      write_behind_.wrote(size_, static_cast<std::uint64_t>(n));
      size_ += static_cast<std::uint64_t>(n);
      for (auto left = static_cast<std::size_t>(n); left > 0;) {
        const std::size_t taken = std::min(left, vectors[at].iov_len);
        vectors[at].iov_base = static_cast<char*>(vectors[at].iov_base) + taken;
        vectors[at].iov_len -= taken;
        left -= taken;
        if (vectors[at].iov_len == 0) ++at;
      }
    }
    return {};
  }

  std::uint64_t size() const override { return size_; }

  Result<void> sync() override {
    if (::fdatasync(fd_.get()) != 0) return fail(os_error(errno, fmt::format("cannot flush {}", path_)));
    TRY(lost_nothing());
    write_behind_.flushed();
    return {};
  }

 private:
  Result<void> lost_nothing() {
    Result<void> result = write_behind_.check();
    if (!result) return fail(std::move(result).error().within(path_));
    return {};
  }

  Descriptor fd_;
  std::string path_;
  std::uint64_t size_;
  WriteBehind write_behind_;
};

class LocalReadFile final : public ReadFile {
 public:
  LocalReadFile(Descriptor fd, std::string path, std::uint64_t size, const CacheUse& cache)
      : fd_(std::move(fd)), path_(std::move(path)), size_(size) {
    if (!cache.keep_read && !cache.read_again) read_behind_.emplace(fd_.get(), size_);
  }

  std::uint64_t size() const override { return size_; }

  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    if (read_behind_) read_behind_->will_read(offset, out.size());
    while (!out.empty()) {
      const ssize_t n = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      Error error;
      if (n < 0) error = os_error(errno, fmt::format("cannot read {}", path_));
      if (n == 0) error = make_error(ErrorCode::corrupt, fmt::format("{} ends too early", path_));
      if (n <= 0) {
        error.offset_bytes = offset;
        return fail(std::move(error));
      }
      out = out.subspan(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
    return {};
  }

  void will_need(std::uint64_t offset, std::uint64_t length) override {
    if (read_behind_) read_behind_->will_read(offset, length);
    ::posix_fadvise(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(length), POSIX_FADV_WILLNEED);
  }

 private:
  Descriptor fd_;
  std::string path_;
  std::uint64_t size_;
  std::optional<ReadBehind> read_behind_;  // absent where the cache may keep what is read
};

class LocalPlace final : public Place {
 public:
  LocalPlace(Descriptor folder, std::string path, const CacheUse& cache)
      : folder_(std::move(folder)), path_(std::move(path)), cache_(cache) {}

  std::string describe(const std::string& name) const override {
    return (std::filesystem::path(path_) / name).lexically_normal().string();
  }

  Result<std::unique_ptr<AppendFile>> create(const std::string& name) override {
    {
      // Nobody's leftover or somebody's work? Its lock tells. A fresh inode follows: whoever still reads the old file keeps
      // its bytes.
      const Descriptor old(::openat(folder_.get(), name.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
      const bool there = old.get() >= 0 || errno != ENOENT;
      if (old.get() >= 0 && !take_lock(old, name)) return fail(in_use(name));
      // What comes into being from here on is somebody else's.
      if (there) TRY(remove(name));
    }
    Descriptor fd(::openat(folder_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (fd.get() < 0 && errno == EEXIST) return fail(in_use(name));
    if (fd.get() < 0) return fail(os_error(errno, fmt::format("cannot create {}", describe(name))));
    // Between the creation and the lock another process may take the file for a leftover: then it is the winner.
    if (!take_lock(fd, name)) return fail(in_use(name));
    struct stat st{};
    const bool removable = ::fstat(fd.get(), &st) == 0 && on_removable_drive(st, describe(name));
    return std::make_unique<LocalAppendFile>(std::move(fd), describe(name), cache_, removable);
  }

  Result<std::unique_ptr<AppendFile>> reopen(const std::string& name, std::uint64_t size) override {
    Descriptor fd(::openat(folder_.get(), name.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
    if (fd.get() < 0) return fail(os_error(errno, fmt::format("cannot open {}", describe(name))));
    if (!take_lock(fd, name)) return fail(in_use(name));
    struct stat st{};
    if (::fstat(fd.get(), &st) != 0) return fail(os_error(errno, fmt::format("cannot examine {}", describe(name))));
    if (!S_ISREG(st.st_mode) || static_cast<std::uint64_t>(st.st_size) < size)
      return fail(ErrorCode::corrupt, fmt::format("{} is not what it was a moment ago", describe(name)));
    if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0 || ::lseek(fd.get(), 0, SEEK_END) < 0)
      return fail(os_error(errno, fmt::format("cannot cut off {}", describe(name))));
    return std::make_unique<LocalAppendFile>(std::move(fd), describe(name), cache_, on_removable_drive(st, describe(name)), size);
  }

  Result<std::unique_ptr<PlaceLock>> lock(const std::string& name) override {
    // NFS locks only what is open for writing; elsewhere reading will do.
    Descriptor fd(::openat(folder_.get(), name.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (fd.get() < 0 && errno != ENOENT) fd = Descriptor(::openat(folder_.get(), name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (fd.get() < 0) return fail(os_error(errno, fmt::format("cannot open {}", describe(name))));
    struct stat st{};
    if (::fstat(fd.get(), &st) == 0 && !S_ISREG(st.st_mode))
      return fail(ErrorCode::usage, fmt::format("{} is not a regular file", describe(name)));
    if (!take_lock(fd, name)) return fail(in_use(name));
    return std::make_unique<LocalLock>(std::move(fd));
  }

  Result<bool> open_elsewhere(const std::string& name) override {
    const Descriptor fd(::openat(folder_.get(), name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (fd.get() < 0) return fail(os_error(errno, fmt::format("cannot open {}", describe(name))));
    // The kernel grants a write lease only on what nobody else has open. Whoever opens the file before the lease is given back
    // makes it send a signal: one that does nothing, in place of one that ends the program.
    if (::fcntl(fd.get(), F_SETSIG, SIGURG) != 0) return false;
    if (::fcntl(fd.get(), F_SETLEASE, F_WRLCK) != 0) return errno == EAGAIN;
    ::fcntl(fd.get(), F_SETLEASE, F_UNLCK);
    return false;
  }

  Result<std::unique_ptr<ReadFile>> open(const std::string& name) override {
    // Not blocking: a pipe of that name would otherwise wait for a writer.
    Descriptor fd(::openat(folder_.get(), name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (fd.get() < 0) return fail(os_error(errno, fmt::format("cannot open {}", describe(name))));
    struct stat st{};
    if (::fstat(fd.get(), &st) != 0) return fail(os_error(errno, fmt::format("cannot examine {}", describe(name))));
    if (!S_ISREG(st.st_mode)) return fail(ErrorCode::usage, fmt::format("{} is not a regular file", describe(name)));
    return std::make_unique<LocalReadFile>(std::move(fd), describe(name), static_cast<std::uint64_t>(st.st_size), cache_);
  }

  Result<bool> exists(const std::string& name) override {
    struct stat st{};
    if (::fstatat(folder_.get(), name.c_str(), &st, 0) == 0) return true;
    if (errno == ENOENT) return false;
    return fail(os_error(errno, fmt::format("cannot examine {}", describe(name))));
  }

  Result<std::vector<std::string>> list() override {
    std::vector<std::string> names;
    std::error_code error;
    for (std::filesystem::directory_iterator at(path_, error), end; !error && at != end; at.increment(error))
      names.push_back(at->path().filename().string());
    if (error) return fail(os_error(error.value(), fmt::format("cannot list {}", path_)));
    return names;
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::renameat(folder_.get(), from.c_str(), folder_.get(), to.c_str()) != 0)
      return fail(os_error(errno, fmt::format("cannot rename {} to {}", describe(from), to)));
    return {};
  }

  Result<void> remove(const std::string& name) override {
    if (::unlinkat(folder_.get(), name.c_str(), 0) != 0 && errno != ENOENT)
      return fail(os_error(errno, fmt::format("cannot remove {}", describe(name))));
    return {};
  }

  Result<void> sync() override {
    // Some file systems cannot flush a folder and say EINVAL; they order renames themselves.
    if (::fsync(folder_.get()) != 0 && errno != EINVAL)
      return fail(os_error(errno, fmt::format("cannot flush the folder {}", path_)));
    return {};
  }

  Result<std::uint64_t> free_bytes() override {
    struct statfs fs{};
    if (::fstatfs(folder_.get(), &fs) != 0) return fail(os_error(errno, fmt::format("cannot examine {}", path_)));
    return static_cast<std::uint64_t>(fs.f_bavail) * static_cast<std::uint64_t>(fs.f_bsize);
  }

  std::optional<std::uint64_t> max_file_bytes() override {
    struct statfs fs{};
    if (::fstatfs(folder_.get(), &fs) != 0) return std::nullopt;
    // Every FAT type reports the same magic. FAT16 takes files below 2 GiB, FAT32 below 4 GiB; FAT32 volumes are
    // told by their size, since a FAT16 volume cannot pass 4 GiB.
    if (fs.f_type != MSDOS_SUPER_MAGIC) return std::nullopt;
    const std::uint64_t volume = static_cast<std::uint64_t>(fs.f_blocks) * static_cast<std::uint64_t>(fs.f_bsize);
    const bool fat32 = fs.f_blocks >= 65525 || volume > (std::uint64_t{4} << 30);
    return fat32 ? (std::uint64_t{4} << 30) - 1 : (std::uint64_t{2} << 30) - 1;
  }

 private:
  Error in_use(const std::string& name) const {
    return make_error(ErrorCode::busy, fmt::format("{} is being written by another backup", describe(name)),
                      "wait until it is done, or choose another name");
  }

  // False if somebody else has the lock, or if the name has meanwhile become that of another file. True where the file
  // system cannot lock: then only care keeps two backups of one name apart.
  bool take_lock(const Descriptor& fd, const std::string& name) {
    while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno == EWOULDBLOCK) return false;
      break;
    }
    struct stat ours{}, named{};
    return ::fstat(fd.get(), &ours) == 0 && ::fstatat(folder_.get(), name.c_str(), &named, 0) == 0 &&
           ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
  }

  Descriptor folder_;
  std::string path_;
  CacheUse cache_;
};

}  // namespace

Result<std::unique_ptr<Place>> open_local_place(const std::string& folder, bool make, const CacheUse& cache) {
  const std::string path = folder.empty() ? "." : folder;
  if (make) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) return fail(os_error(error.value(), fmt::format("cannot make the folder {}", path)));
  }
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) {
    const int code = errno;
    return fail(os_error(code, fmt::format("cannot open the folder {}", path))
                    .with_hint(code == ENOENT ? "create it, or use --make-dir" : ""));
  }
  return std::make_unique<LocalPlace>(std::move(fd), path, cache);
}

}  // namespace tintype
