// SPDX-License-Identifier: GPL-3.0-or-later
// Every step is one system call on an open folder and a single name, with O_NOFOLLOW or its like, so that no link can lead out.
// A file has a temporary name until it is whole; renameat2(2) then gives it its own without replacing anything by accident.
#include "store/out_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <random>

#include "base/text.h"
#include "drive/linux/unique_fd.h"

namespace tintype {
namespace {

std::unexpected<Error> system_failed(const std::string& what, int error = errno) {
  Error out = os_error(error, what);
  if (error == EEXIST || error == ENOTEMPTY || error == EISDIR || error == ENOTDIR || error == ELOOP) out.code = ErrorCode::exists;
  return fail(std::move(out));
}

timespec time_of(const std::optional<std::int64_t>& ns) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  if (!ns) return {0, UTIME_NOW};
  std::int64_t seconds = *ns / kSecond, rest = *ns % kSecond;
  if (rest < 0) {
    rest += kSecond;
    --seconds;
  }
  return {seconds, rest};
}

bool has_times(const OutFacts& facts) { return facts.modified || facts.accessed; }
std::array<timespec, 2> times_of(const OutFacts& facts) {
  return {time_of(facts.accessed ? facts.accessed : facts.modified), time_of(facts.modified)};
}

// The owner first: changing it takes bits of the mode away.
Result<void> apply(int fd, const OutFacts& facts, const std::string& name) {
  if (facts.owner || facts.group) {
    const uid_t user = facts.owner.value_or(static_cast<uid_t>(-1));
    const gid_t group = facts.group.value_or(static_cast<gid_t>(-1));
    if (::fchown(fd, user, group) != 0) return system_failed(fmt::format("cannot set the owner of {}", name));
  }
  std::optional<mode_t> mode;
  if (facts.mode) mode = static_cast<mode_t>(*facts.mode & 07777U);
  if (facts.read_only) {
    struct stat now {};
    if (!mode && ::fstat(fd, &now) == 0) mode = now.st_mode & 07777U;
    if (mode) mode = *mode & ~mode_t{0222};
  }
  if (mode && ::fchmod(fd, *mode) != 0) return system_failed(fmt::format("cannot set the permissions of {}", name));
  if (has_times(facts) && ::futimens(fd, times_of(facts).data()) != 0) return system_failed(fmt::format("cannot set the times of {}", name));
  return {};
}

std::string temporary_name() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  return fmt::format(".tintype-{:016x}.part", random());
}

// Moves within a folder. Replaces nothing but a file or link, and that only if it may.
Result<void> give_name(int folder, const std::string& from, const std::string& to, Existing existing, const std::string& path) {
  if (existing == Existing::replace) {
    if (::renameat(folder, from.c_str(), folder, to.c_str()) == 0) return {};
    return system_failed(fmt::format("cannot replace {}", path));
  }
  if (::renameat2(folder, from.c_str(), folder, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  // Some file systems do not know the flag.
  if (errno == EINVAL || errno == ENOSYS) {
    if (::linkat(folder, from.c_str(), folder, to.c_str(), 0) == 0) {
      ::unlinkat(folder, from.c_str(), 0);
      return {};
    }
    struct stat there {};
    if (errno != EEXIST && ::fstatat(folder, to.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT &&
        ::renameat(folder, from.c_str(), folder, to.c_str()) == 0)
      return {};
    return system_failed(fmt::format("cannot make {}", path), EEXIST);
  }
  return system_failed(fmt::format("cannot make {}", path));
}

class LinuxOutFile final : public OutFile {
 public:
  LinuxOutFile(UniqueFd folder, UniqueFd fd, std::string temporary, std::string name, std::string path)
      : folder_(std::move(folder)), fd_(std::move(fd)), temporary_(std::move(temporary)), name_(std::move(name)), path_(std::move(path)) {}
  ~LinuxOutFile() override {
    if (!temporary_.empty()) ::unlinkat(folder_.get(), temporary_.c_str(), 0);
  }

  Result<void> write(std::uint64_t offset, ByteSpan data) override {
    while (!data.empty()) {
      const ssize_t done = ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(offset));
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) return system_failed(fmt::format("cannot write {}", path_), done == 0 ? ENOSPC : errno);
      data = data.subspan(static_cast<std::size_t>(done));
      offset += static_cast<std::uint64_t>(done);
      end_ = std::max(end_, offset);
    }
    return {};
  }

  Result<void> set_attribute(const std::string& name, ByteSpan value) override {
    if (::fsetxattr(fd_.get(), ("user." + name).c_str(), value.data(), value.size(), 0) == 0) return {};
    Error error = os_error(errno, fmt::format("cannot set the attribute {} of {}", printable(name), path_));
    error.code = ErrorCode::unsupported;
    return fail(std::move(error));
  }

  Result<OutIdentity> publish(std::uint64_t size_bytes, const OutFacts& facts, Existing existing) override {
    if (size_bytes != end_ && ::ftruncate(fd_.get(), static_cast<off_t>(size_bytes)) != 0)
      return system_failed(fmt::format("cannot set the size of {}", path_));
    TRY(apply(fd_.get(), facts, path_));
    struct stat now {};
    if (::fstat(fd_.get(), &now) != 0) return system_failed(fmt::format("cannot look at {}", path_));
    TRY(give_name(folder_.get(), temporary_, name_, existing, path_));
    temporary_.clear();
    return OutIdentity{now.st_dev, now.st_ino};
  }

 private:
  UniqueFd folder_, fd_;
  std::string temporary_, name_, path_;
  std::uint64_t end_ = 0;
};

class LinuxOutFolder final : public OutFolder {
 public:
  LinuxOutFolder(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<Entered> make_folder(const std::string& name, bool ours_alone) override {
    TRY(check(name));
    const bool made = ::mkdirat(fd_.get(), name.c_str(), ours_alone ? 0700 : 0777) == 0;
    if (!made && errno != EEXIST) return system_failed(fmt::format("cannot make the folder {}", inside(name)));
    return Entered{TRY(enter(name)), made};
  }

  Result<std::unique_ptr<OutFolder>> enter(const std::string& name) override {
    TRY(check(name));
    UniqueFd fd(::openat(fd_.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd && (errno == ENOTDIR || errno == ELOOP))
      return fail(ErrorCode::exists, fmt::format("{} is there already and is no folder", inside(name)), "give another folder");
    if (!fd) return system_failed(fmt::format("cannot open the folder {}", inside(name)));
    return std::make_unique<LinuxOutFolder>(std::move(fd), path_ + "/" + name);
  }

  Result<bool> has(const std::string& name) override {
    TRY(check(name));
    struct stat there {};
    if (::fstatat(fd_.get(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0) return true;
    if (errno == ENOENT) return false;
    return system_failed(fmt::format("cannot look at {}", inside(name)));
  }

  Result<std::unique_ptr<OutFile>> create(const std::string& name, bool ours_alone) override {
    TRY(check(name));
    for (int tries = 0; tries < 100; ++tries) {
      std::string temporary = temporary_name();
      UniqueFd fd(::openat(fd_.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, ours_alone ? 0600 : 0666));
      if (!fd && errno == EEXIST) continue;
      if (!fd) return system_failed(fmt::format("cannot make {}", inside(name)));
      UniqueFd folder(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
      if (!folder) {
        const int error = errno;
        ::unlinkat(fd_.get(), temporary.c_str(), 0);
        return system_failed(fmt::format("cannot make {}", inside(name)), error);
      }
      return std::make_unique<LinuxOutFile>(std::move(folder), std::move(fd), std::move(temporary), name, inside(name));
    }
    return fail(ErrorCode::exists, fmt::format("no temporary name is free in {}", printable(path_)));
  }

  Result<void> make_symlink(const std::string& name, const std::string& target, const OutFacts& facts, Existing existing) override {
    TRY(check(name));
    if (target.empty() || target.find('\0') != std::string::npos)
      return fail(ErrorCode::refused, fmt::format("{} is a link that leads nowhere", inside(name)));
    const std::string temporary = temporary_name();
    if (::symlinkat(target.c_str(), fd_.get(), temporary.c_str()) != 0) return system_failed(fmt::format("cannot make the link {}", inside(name)));
    Result<void> done = dress_link(temporary, name, facts);
    if (done) done = give_name(fd_.get(), temporary, name, existing, inside(name));
    if (!done) ::unlinkat(fd_.get(), temporary.c_str(), 0);
    return done;
  }

  Result<void> make_hard_link(const std::string& name, OutFolder& earlier, const std::string& earlier_name, const OutIdentity& identity,
                              Existing existing) override {
    TRY(check(name));
    TRY(check(earlier_name));
    const int from = static_cast<LinuxOutFolder&>(earlier).fd_.get();
    const std::string temporary = temporary_name();
    if (::linkat(from, earlier_name.c_str(), fd_.get(), temporary.c_str(), 0) != 0)
      return system_failed(fmt::format("cannot link {} to {}", inside(name), printable(earlier_name)));
    struct stat now {};
    Result<void> done;
    if (::fstatat(fd_.get(), temporary.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0 || now.st_dev != identity.device || now.st_ino != identity.inode)
      done = fail(ErrorCode::mismatch, fmt::format("{} is another file now", printable(earlier_name)));
    else
      done = give_name(fd_.get(), temporary, name, existing, inside(name));
    // rename(2) does nothing if both names are the same file already.
    ::unlinkat(fd_.get(), temporary.c_str(), 0);
    return done;
  }

  Result<void> set_facts(const OutFacts& facts) override { return apply(fd_.get(), facts, printable(path_)); }

  Result<void> sync() override {
    if (::syncfs(fd_.get()) != 0) return system_failed(fmt::format("cannot write everything in {} to its drive", printable(path_)));
    return {};
  }

 private:
  std::string inside(const std::string& name) const { return printable(path_ + "/" + name); }

  Result<void> check(const std::string& name) const {
    if (!name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos && name.find('\0') == std::string::npos) return {};
    return fail(ErrorCode::refused, fmt::format("'{}' in {} is no name that a file can have here", printable(name), printable(path_)));
  }

  Result<void> dress_link(const std::string& temporary, const std::string& name, const OutFacts& facts) {
    if (facts.owner || facts.group) {
      const uid_t user = facts.owner.value_or(static_cast<uid_t>(-1));
      const gid_t group = facts.group.value_or(static_cast<gid_t>(-1));
      if (::fchownat(fd_.get(), temporary.c_str(), user, group, AT_SYMLINK_NOFOLLOW) != 0)
        return system_failed(fmt::format("cannot set the owner of {}", inside(name)));
    }
    if (has_times(facts) && ::utimensat(fd_.get(), temporary.c_str(), times_of(facts).data(), AT_SYMLINK_NOFOLLOW) != 0)
      return system_failed(fmt::format("cannot set the times of {}", inside(name)));
    return {};
  }

  UniqueFd fd_;
  std::string path_;
};

}  // namespace

Result<std::unique_ptr<OutFolder>> open_out_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) return fail(os_error(errno, fmt::format("cannot make the folder {}", printable(path))));
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return fail(os_error(errno, fmt::format("cannot open the folder {}", printable(path))));
  return std::make_unique<LinuxOutFolder>(std::move(fd), path.ends_with('/') && path.size() > 1 ? path.substr(0, path.size() - 1) : path);
}

}  // namespace tintype
