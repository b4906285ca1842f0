// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

namespace tintype {

// Keeps reading a file or block device from filling the page cache. Before a granule (4 MiB) is read, it asks which of its
// pages are in the cache already; some 128 MiB behind the reader, the others are dropped: pages that were there before
// belong to somebody and stay, so a source that is in memory is read from memory and left there. mincore(2) answers
// only to who owns the file or may write it; for anybody else all pages count as somebody's.
// Any number of threads. The descriptor must outlive it.
class ReadBehind {
 public:
  ReadBehind(int fd, std::uint64_t size_bytes) : fd_(fd), size_bytes_(size_bytes) {}
  ~ReadBehind();
  ReadBehind(const ReadBehind&) = delete;
  ReadBehind& operator=(const ReadBehind&) = delete;

  // To be called before the range is read or asked for.
  void will_read(std::uint64_t offset, std::uint64_t length);

 private:
  struct Run {
    std::uint64_t offset, length;
  };
  struct Granule {
    std::uint64_t number;
    std::vector<Run> absent;  // not in the cache when it was looked at
  };
  std::vector<Run> absent_pages(std::uint64_t number) const;
  void drop(const Granule& granule) const;

  const int fd_;
  const std::uint64_t size_bytes_;
  std::mutex mutex_;
  std::deque<Granule> granules_;  // in the order they were met
};

}  // namespace tintype
