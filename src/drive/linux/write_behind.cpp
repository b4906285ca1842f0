// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/linux/write_behind.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace tintype {
namespace {

constexpr std::uint64_t kFirstStep = 1U << 20;
constexpr std::uint64_t kEarlyStep = 32U << 20;
constexpr std::uint64_t kDurableStep = 4U << 20;

// One range that covers both: pages between them that others wrote are written a little earlier, no more.
template <class Span>
void cover(std::optional<Span>& span, std::uint64_t start, std::uint64_t end) {
  span = span ? Span{std::min(span->start, start), std::max(span->end, end)} : Span{start, end};
}

}  // namespace

WriteBehind::WriteBehind(int fd, const CacheUse& use, bool removable)
    : fd_(fd),
      way_(way_of(use, removable)),
      keep_(use.keep_written || use.read_again),
      step_bytes_(way_ == Way::paced ? std::max<std::uint64_t>(use.dirty_bytes / 2, 1)
                                     : way_ == Way::durable ? kDurableStep : kEarlyStep) {}

WriteBehind::Way WriteBehind::way_of(const CacheUse& use, bool removable) {
  if (use.flush_removable && removable) return Way::durable;
  if (use.dirty_bytes != 0) return Way::paced;
  return use.keep_written ? Way::system : Way::early;
}

void WriteBehind::wrote(std::uint64_t offset, std::uint64_t length) {
  if (way_ == Way::system || length == 0) return;
  std::unique_lock<std::mutex> turn(turn_, std::defer_lock);
  if (way_ != Way::early) turn.lock();
  Span now, before;
  {
    const std::lock_guard lock(mutex_);
    cover(current_, offset, offset + length);
    cover(all_, offset, offset + length);
    current_bytes_ += length;
    all_bytes_ += length;
    // Small steps at first: at the end of a short run most of it should be on its way.
    const std::uint64_t step = way_ == Way::early ? std::clamp(all_bytes_ / 4, kFirstStep, step_bytes_) : step_bytes_;
    if (current_bytes_ < step) return;
    now = *current_;
    current_.reset();
    current_bytes_ = 0;
    before = std::exchange(last_, now);
  }
  step(now, before);
}

void WriteBehind::step(Span now, Span before) {
  const auto sync = [this](Span span, unsigned flags) {
    return ::sync_file_range(fd_, static_cast<off_t>(span.start), static_cast<off_t>(span.end - span.start), flags) == 0;
  };
  switch (way_) {
    case Way::system: return;
    case Way::early:
      // Without waiting: what is not written yet is dropped after the final flush.
      sync(now, SYNC_FILE_RANGE_WRITE);
      return drop(before);
    case Way::paced:
      sync(now, SYNC_FILE_RANGE_WRITE);
      // A file system that cannot say (ESPIPE, EINVAL, ENOSYS) is not a failed write.
      if (before.end != 0)
        note(sync(before, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) ||
             (errno != EIO && errno != ENOSPC && errno != EDQUOT));
      return drop(before);
    case Way::durable:
      note(::fdatasync(fd_) == 0);
      return drop(now);
  }
}

void WriteBehind::note(bool succeeded) {
  const int code = succeeded ? 0 : errno;
  const std::lock_guard lock(mutex_);
  if (failure_ == 0) failure_ = code;
}

Result<void> WriteBehind::check() {
  const std::lock_guard lock(mutex_);
  if (failure_ == 0) return {};
  Error error = os_error(failure_, "what was written before did not reach the drive");
  // Making room or trying again brings nothing back.
  error.code = ErrorCode::io;
  return fail(std::move(error));
}

Result<void> WriteBehind::take_failure() {
  Result<void> failure = check();
  const std::lock_guard lock(mutex_);
  failure_ = 0;
  return failure;
}

void WriteBehind::flushed() {
  std::optional<Span> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(all_);
    current_.reset();
    current_bytes_ = 0;
    last_ = {};
  }
  if (all) drop(*all);
}

void WriteBehind::drop(Span span) const {
  if (keep_ || span.end == 0) return;
  ::posix_fadvise(fd_, static_cast<off_t>(span.start), static_cast<off_t>(span.end - span.start), POSIX_FADV_DONTNEED);
}

}  // namespace tintype
