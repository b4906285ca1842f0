// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/linux/spill_file.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "drive/linux/nameless_file.h"

namespace tintype {
namespace {

constexpr std::uint64_t kReserveBytes = 64U << 20;

}  // namespace

Result<std::unique_ptr<SpillFile>> SpillFile::make(std::uint64_t expected_bytes) {
  const std::string where = temporary_folder();
  UniqueFd fd = TRY(open_nameless_file(where));
  struct statvfs space{};
  if (::fstatvfs(fd.get(), &space) != 0) return fail(os_error(errno, fmt::format("cannot find the free space of {}", where)));
  const auto free = checked_mul(space.f_bavail, space.f_frsize).value_or(~std::uint64_t{0});
  if (free < kReserveBytes || free - kReserveBytes < expected_bytes)
    return fail(ErrorCode::no_space, fmt::format("{} is too small for {} bytes of unpacked data", where, expected_bytes), "set TMPDIR to a folder with more space");
  return std::unique_ptr<SpillFile>(new SpillFile(std::move(fd)));
}

Result<void> SpillFile::write(std::uint64_t offset, ByteSpan data) {
  if (all_zero(data)) return {};
  while (!data.empty()) {
    const ssize_t done = ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return fail(os_error(done < 0 ? errno : ENOSPC, "cannot write a temporary file"));
    data = data.subspan(static_cast<std::size_t>(done));
    offset += static_cast<std::uint64_t>(done);
  }
  return {};
}

Result<void> SpillFile::read(std::uint64_t offset, MutableByteSpan out) const {
  while (!out.empty()) {
    const ssize_t done = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return fail(os_error(errno, "cannot read a temporary file"));
    if (done == 0) {
      std::memset(out.data(), 0, out.size());
      return {};
    }
    out = out.subspan(static_cast<std::size_t>(done));
    offset += static_cast<std::uint64_t>(done);
  }
  return {};
}

}  // namespace tintype
