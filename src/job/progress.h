// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <chrono>
#include <string>

#include "base/events.h"

namespace tintype {

// Counts the bytes of one stage and tells the listener, at most ten times a second.
class ProgressMeter {
 public:
  ProgressMeter(Events& events, const std::string& stage, std::uint64_t total_bytes) : events_(events) {
    progress_.stage = stage;
    progress_.total_bytes = total_bytes;
    events_.stage(stage, total_bytes);
  }
  void object(std::string name) { progress_.object = std::move(name); }
  void advance(std::uint64_t bytes) {
    progress_.done_bytes += bytes;
    if (progress_.done_bytes > progress_.total_bytes) progress_.total_bytes = progress_.done_bytes;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    events_.progress(progress_);
  }
  // Says 100 %.
  void finish() {
    progress_.done_bytes = progress_.total_bytes;
    events_.progress(progress_);
  }

 private:
  Events& events_;
  Progress progress_;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace tintype
