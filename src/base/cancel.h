// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <atomic>

#include "base/result.h"

namespace tintype {

// A request to stop, set once from any thread or a signal handler, read everywhere.
class CancelToken {
 public:
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }
  Result<void> check() const {
    if (cancelled()) return fail(ErrorCode::cancelled, "the operation was cancelled");
    return {};
  }

 private:
  std::atomic<bool> cancelled_{false};
  static_assert(std::atomic<bool>::is_always_lock_free);
};

}  // namespace tintype
