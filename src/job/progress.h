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
  // How much there is to do is not known: total_bytes stays 0.
  void no_total() { total_known_ = false; }
  void object(std::string name) { progress_.object = std::move(name); }
  void advance(std::uint64_t bytes) {
    progress_.done_bytes += bytes;
    if (total_known_ && progress_.done_bytes > progress_.total_bytes) progress_.total_bytes = progress_.done_bytes;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    events_.progress(progress_);
  }
  // Says 100 %.
  void finish() {
    if (total_known_) progress_.done_bytes = progress_.total_bytes;
    events_.progress(progress_);
  }

 private:
  Events& events_;
  Progress progress_;
  bool total_known_ = true;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace tintype
