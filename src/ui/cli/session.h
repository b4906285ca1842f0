// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <atomic>
#include <chrono>
#include <optional>
#include <string>

#include "base/cancel.h"
#include "job/context.h"
#include "options/command.h"
#include "ui/cli/fan_out.h"
#include "ui/cli/interrupts.h"
#include "ui/cli/mail_listener.h"
#include "ui/cli/screen.h"
#include "ui/cli/tuning.h"

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
  const Tuning& tuning() const { return tuning_; }
  // The password of this run once it is known: asked for, and read from its descriptor, only once.
  std::optional<std::string>& known_password() { return known_password_; }

  // Opens the log, tells the listeners that the action starts, and sets the priority. Without it only the terminal listens.
  Result<void> begin();
  // Sends the mail, tells the listeners how it ended; the exit status to leave with.
  ExitStatus end(const Result<Report>& result);

 private:
  void on_signal(Interrupts::Signal signal, const std::function<bool()>& again, const std::stop_token& stop);
  bool confirm_cancel(const std::function<bool()>& again, const std::stop_token& stop);
  Result<void> open_mail();
  Result<void> open_log();
  void mail(const RunEnd& end);
  std::string action_name() const;

  const options::ParsedCommand& command_;
  const Tuning tuning_;
  CancelToken cancel_;
  Screen screen_;
  FanOut events_;
  std::chrono::steady_clock::time_point started_;
  MailListener* mail_ = nullptr;  // among the listeners of events_
  std::atomic<bool> running_{false};
  std::optional<std::string> known_password_;
  bool stops_at_once_ = false;  // list: nothing to undo
  bool signals_end_it_ = false;  // serve, mount and boot have no other end, so nobody is asked whether it is meant
  std::optional<Interrupts> interrupts_;  // last: its thread uses the others
};

}  // namespace tintype::cli
