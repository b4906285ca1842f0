// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "base/cancel.h"
#include "job/context.h"
#include "options/command.h"
#include "ui/cli/fan_out.h"
#include "ui/cli/interrupts.h"
#include "ui/cli/screen.h"

namespace tintype::cli {

// One run of one action: the command, those who listen, and the way to stop it. Lives on the main thread; made
// before any other thread.
class Session {
 public:
  explicit Session(const options::ParsedCommand& command);

  const options::ParsedCommand& command() const { return command_; }
  Screen& screen() { return screen_; }
  Events& events() { return events_; }
  const CancelToken& cancel() const { return cancel_; }
  JobContext context();

  // Opens the log and tells the listeners that the action starts. Without it only the terminal listens.
  Result<void> begin();
  // Tells the listeners how it ended; the exit status to leave with.
  ExitStatus end(const Result<Report>& result);

 private:
  void on_signal(Interrupts::Signal signal, const std::function<bool()>& again, const std::stop_token& stop);
  bool confirm_cancel(const std::function<bool()>& again, const std::stop_token& stop);
  Result<void> open_log();
  std::string action_name() const;

  const options::ParsedCommand& command_;
  CancelToken cancel_;
  Screen screen_;
  FanOut events_;
  std::chrono::steady_clock::time_point started_;
  bool stops_at_once_ = false;  // list: nothing to undo
  std::optional<Interrupts> interrupts_;  // last: its thread uses the others
};

}  // namespace tintype::cli
