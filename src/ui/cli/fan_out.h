// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "base/cancel.h"
#include "base/events.h"
#include "ui/cli/answers.h"
#include "ui/cli/listener.h"
#include "ui/cli/screen.h"

namespace tintype::cli {

// Hands events to every listener, and questions to whoever can answer: a mode, or the person at the terminal.
class FanOut final : public Events {
 public:
  FanOut(Screen& screen, const CancelToken& cancel) : screen_(screen), cancel_(cancel) {}
  void add(std::unique_ptr<Listener> listener) { listeners_.push_back(std::move(listener)); }
  void set_unattended(const Unattended& modes) { modes_ = modes; }
  // True while a person is being asked.
  bool asking() const { return asking_; }

  void start(const RunStart& start);
  void end(const RunEnd& end);

  void stage(const std::string& name, std::uint64_t total_bytes) override;
  void progress(const Progress& progress) override;
  void message(const Message& message) override;
  Answer ask(const Question& question) override;

 private:
  Answer ask_person(const Question& question);
  template <class Call>
  void each(Call call) {
    const std::lock_guard lock(mutex_);
    for (const auto& listener : listeners_) call(*listener);
  }

  Screen& screen_;
  const CancelToken& cancel_;
  Unattended modes_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::atomic<bool> asking_{false};
};

}  // namespace tintype::cli
