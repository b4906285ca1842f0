// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/linux/read_behind.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

namespace tintype {
namespace {

constexpr std::uint64_t kGranule = 4U << 20;
// How far past a reader the kernel may read by itself: twice its largest window (8 MiB on fast drives).
constexpr std::uint64_t kKernelAhead = 16U << 20;
// More than that, what is asked for ahead (16 MiB), and what 64 workers have in hand.
constexpr std::size_t kGranulesKept = 32;
// Headers and index pages: asking costs more than they take, and the data around them is asked about anyway.
constexpr std::uint64_t kTooSmall = 32 * 1024;

}  // namespace

ReadBehind::~ReadBehind() {
  for (const Granule& each : granules_) drop(each);
}

void ReadBehind::will_read(std::uint64_t offset, std::uint64_t length) {
  if (length < kTooSmall || offset >= size_bytes_) return;
  const std::uint64_t first = offset / kGranule;
  // Asked later, what the kernel read ahead would look like somebody's.
  const std::uint64_t last = std::min(offset + length - 1 + kKernelAhead, size_bytes_ - 1) / kGranule;
  const std::lock_guard lock(mutex_);
  for (std::uint64_t number = first; number <= last; ++number) {
    if (std::ranges::find(granules_.rbegin(), granules_.rend(), number, &Granule::number) != granules_.rend()) continue;
    granules_.push_back({number, absent_pages(number)});
    if (granules_.size() <= kGranulesKept) continue;
    drop(granules_.front());
    granules_.pop_front();
  }
}

std::vector<ReadBehind::Run> ReadBehind::absent_pages(std::uint64_t number) const {
  static const std::uint64_t page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::uint64_t start = number * kGranule, length = std::min(kGranule, size_bytes_ - start);
  std::vector<Run> absent;
  // A mapping that nobody touches: mincore(2) wants an address.
  void* const at = ::mmap(nullptr, length, PROT_NONE, MAP_SHARED, fd_, static_cast<off_t>(start));
  if (at == MAP_FAILED) return absent;
  std::vector<unsigned char> resident((length + page - 1) / page);
  const bool known = ::mincore(at, length, resident.data()) == 0;
  ::munmap(at, length);
  if (!known) return absent;
  for (std::size_t i = 0; i < resident.size(); ++i) {
    if ((resident[i] & 1U) != 0) continue;
    const std::uint64_t offset = start + i * page;
    if (!absent.empty() && absent.back().offset + absent.back().length == offset) absent.back().length += page;
    else absent.push_back({offset, page});
  }
  return absent;
}

void ReadBehind::drop(const Granule& granule) const {
  for (const Run& run : granule.absent)
    ::posix_fadvise(fd_, static_cast<off_t>(run.offset), static_cast<off_t>(run.length), POSIX_FADV_DONTNEED);
}

}  // namespace tintype
