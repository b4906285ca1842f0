// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <mutex>

#include "base/cancel.h"
#include "base/environment.h"
#include "base/events.h"

namespace tintype {

// What every operation runs with. The references outlive the operation.
struct JobContext {
  Events& events;
  const CancelToken& cancel;
  Clock& clock;
  Random& random;
  unsigned workers = 0;  // 0: as many as there are processors; output does not depend on it
};

// Passes everything on, one call at a time: workers ask and warn while the consumer reports progress. While a question
// waits for its answer, the others wait too.
class OrderlyEvents final : public Events {
 public:
  explicit OrderlyEvents(Events& inner) : inner_(inner) {}
  void stage(const std::string& name, std::uint64_t total_bytes) override {
    const std::lock_guard lock(mutex_);
    inner_.stage(name, total_bytes);
  }
  void progress(const Progress& progress) override {
    const std::lock_guard lock(mutex_);
    inner_.progress(progress);
  }
  void message(const Message& message) override {
    const std::lock_guard lock(mutex_);
    inner_.message(message);
  }
  Answer ask(const Question& question) override {
    const std::lock_guard lock(mutex_);
    return inner_.ask(question);
  }

 private:
  Events& inner_;
  std::mutex mutex_;
};

// How an operation that did not fail ended.
enum class Outcome {
  complete,
  with_bad_sectors,  // done, but some sectors could not be read or written; they were listed as messages
};

}  // namespace tintype
