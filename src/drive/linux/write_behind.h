// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <mutex>
#include <optional>

#include "base/page_cache.h"
#include "base/result.h"

namespace tintype {

// Writes out what a file or block device was given, in steps while it is still being written, as a CacheUse says.
// Any number of threads. The descriptor must outlive it.
class WriteBehind {
 public:
  // `removable`: the file or device lies on a removable drive.
  WriteBehind(int fd, const CacheUse& use, bool removable);
  WriteBehind(const WriteBehind&) = delete;
  WriteBehind& operator=(const WriteBehind&) = delete;

  // Bytes were written there. In the paced ways this waits for the drive.
  void wrote(std::uint64_t offset, std::uint64_t length);
  // How writing out went so far. The kernel tells a failure only once, so it is kept: a later flush that succeeds proves
  // nothing any more.
  Result<void> check();
  // The same, and forgets it: for who writes all of it again.
  Result<void> take_failure();
  // To be called after a successful flush: drops what is now clean.
  void flushed();

 private:
  enum class Way { system, early, paced, durable };
  struct Span {
    std::uint64_t start = 0, end = 0;
  };
  static Way way_of(const CacheUse& use, bool removable);
  void step(Span now, Span before);
  void drop(Span span) const;
  void note(bool succeeded);

  const int fd_;
  const Way way_;
  const bool keep_;
  const std::uint64_t step_bytes_;
  std::mutex mutex_;             // of what follows
  std::optional<Span> current_;  // covers what was written since the last step
  std::uint64_t current_bytes_ = 0, all_bytes_ = 0;
  std::optional<Span> all_;      // covers what was written since the last flush
  Span last_;                    // the step before
  int failure_ = 0;              // errno
  std::mutex turn_;              // paced ways: everybody waits for the drive; taken before mutex_
};

}  // namespace tintype
