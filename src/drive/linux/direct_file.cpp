// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/linux/direct_file.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

namespace tintype {
namespace {

constexpr std::uint64_t kMostBounced = 1 << 20;

struct Free {
  void operator()(std::byte* memory) const { std::free(memory); }
};
using Bounce = std::unique_ptr<std::byte[], Free>;

// Memory on a page boundary suits every sector size up to a page; larger sectors are aligned to themselves.
Bounce make_bounce(std::uint64_t bytes, std::uint32_t sector_bytes) {
  const std::uint64_t alignment = std::max<std::uint64_t>(sector_bytes, 4096);
  return Bounce(static_cast<std::byte*>(std::aligned_alloc(alignment, round_up(bytes, alignment))));
}

ssize_t impossible() {
  errno = EINVAL;
  return -1;
}

}  // namespace

bool DirectFile::ready() {
  std::call_once(once_, [this] {
    // The very object that is open, whatever its name has come to mean since.
    const std::string self = fmt::format("/proc/self/fd/{}", fd_);
    direct_ = UniqueFd(::open(self.c_str(), (writable_ ? O_RDWR : O_RDONLY) | O_DIRECT | O_CLOEXEC | O_NONBLOCK));
  });
  return static_cast<bool>(direct_);
}

ssize_t DirectFile::read(std::uint64_t offset, MutableByteSpan out) {
  if (!ready()) return impossible();
  if (aligned(offset) && aligned(out.size()) && aligned(reinterpret_cast<std::uintptr_t>(out.data())))
    return ::pread(direct_.get(), out.data(), out.size(), static_cast<off_t>(offset));
  const std::uint64_t start = round_down(offset, sector_bytes_);
  const std::uint64_t end = std::min(round_up(offset + out.size(), sector_bytes_), start + kMostBounced);
  const Bounce bounce = make_bounce(end - start, sector_bytes_);
  if (!bounce) return impossible();
  const ssize_t n = ::pread(direct_.get(), bounce.get(), end - start, static_cast<off_t>(start));
  if (n < 0) return n;
  const std::size_t before = static_cast<std::size_t>(offset - start);
  const std::size_t got = std::min(out.size(), static_cast<std::size_t>(n) - std::min(static_cast<std::size_t>(n), before));
  std::copy_n(bounce.get() + before, got, out.begin());
  return static_cast<ssize_t>(got);
}

ssize_t DirectFile::write(std::uint64_t offset, ByteSpan data) {
  if (!aligned(offset) || !aligned(data.size()) || !ready()) return impossible();
  if (aligned(reinterpret_cast<std::uintptr_t>(data.data())))
    return ::pwrite(direct_.get(), data.data(), data.size(), static_cast<off_t>(offset));
  const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), kMostBounced));
  const Bounce bounce = make_bounce(n, sector_bytes_);
  if (!bounce) return impossible();
  std::copy_n(data.begin(), n, bounce.get());
  return ::pwrite(direct_.get(), bounce.get(), n, static_cast<off_t>(offset));
}

}  // namespace tintype
