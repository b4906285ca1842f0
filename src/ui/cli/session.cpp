// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>

#include "options/action.h"
#include "options/document.h"
#include "ui/cli/json_listener.h"
#include "ui/cli/log_listener.h"
#include "ui/cli/terminal_listener.h"

namespace tintype::cli {
namespace {

// "\n" as typed in --message begins a new line.
std::string with_newlines(std::string_view typed) {
  std::string text;
  for (std::size_t at = 0; at < typed.size(); ++at) {
    const bool escape = typed.substr(at, 2) == "\\n";
    text += escape ? '\n' : typed[at];
    at += escape ? 1 : 0;
  }
  return text;
}

// Whoever has standard output and standard error.
std::unique_ptr<Listener> make_first_listener(const options::ParsedCommand& command, Screen& screen) {
  if (!command.flag("json")) return make_terminal_listener(screen, command.flag("quiet"));
  return command.action == options::Action::list ? make_json_failure_listener(screen) : make_json_listener(screen);
}

}  // namespace

Session::Session(const options::ParsedCommand& command)
    : command_(command),
      tuning_(command),
      screen_(find_terminal(command.flag("no-color"))),
      events_(screen_, cancel_),
      started_(std::chrono::steady_clock::now()),
      stops_at_once_(command.action == options::Action::list || command.action == options::Action::ls),
      signals_end_it_(command.action == options::Action::serve || command.action == options::Action::mount || command.action == options::Action::boot) {
  interrupts_.emplace([this](Interrupts::Signal signal, const auto& again, const auto& stop) { on_signal(signal, again, stop); });
  events_.set_unattended({.no = command.answers_no(),
                          .yes = command.answers_yes(),
                          .ignore = command.flag("unattended-ignore"),
                          .media = command.flag("unattended-media")});
  events_.add(make_first_listener(command, screen_));
}

std::string Session::action_name() const { return std::string(options::info(command_.action).gnu); }

JobContext Session::context() {
  return {events_, cancel_, system_clock(), system_random(), static_cast<unsigned>(command_.number("workers").value_or(0))};
}

Result<void> Session::open_mail() {
  const std::optional<std::string> option = command_.text("email");
  if (!option) return {};
  Result<MailAccount> account = parse_mail_account(*option);
  if (!account) return fail(std::move(account).error().within("--email"));
  auto listener = std::make_unique<MailListener>(std::move(account).take(), objects_of(command_), system_clock());
  mail_ = listener.get();
  events_.add(std::move(listener));
  return {};
}

Result<void> Session::open_log() {
  if (!command_.flag("save-log")) return {};
  const std::string path = *command_.text("log-file");
  Result<std::unique_ptr<Listener>> log = make_log_listener(path, system_clock());
  if (log) {
    events_.add(std::move(log).take());
    return {};
  }
  if (command_.has("log-file")) return fail(log.error());
  // Nobody asked for this one: a folder that cannot be written to must not stop a restore.
  events_.warn(fmt::format("no log is kept: {}", log.error().message()));
  return {};
}

Result<void> Session::begin() {
  TRY(open_mail());
  TRY(open_log());
  events_.add(make_syslog_listener(static_cast<unsigned>(command_.number("event-log-level").value_or(3))));
  events_.start({.action = action_name(),
                 .command_line = options::show_command(command_, options::Spelling::gnu),
                 .notice = with_newlines(command_.text("message").value_or(""))});
  for (const std::string& note : command_.notes) events_.message({Severity::debug, note});
  if (command_.flag("no-cancel")) std::signal(SIGQUIT, SIG_IGN);  // the other key that ends a program
  running_ = true;
  if (const std::optional<Priority> priority = tuning_.priority())
    if (const Result<void> set = set_priority(*priority); !set) events_.warn(set.error().message());
  return {};
}

void Session::mail(const RunEnd& end) {
  // A signal that comes now is for this: the action is over.
  const MailLimits limits{.give_up = [] { return Interrupts::pending(); }};
  if (const Result<void> sent = mail_->send(end, system_random(), limits); !sent)
    events_.warn(fmt::format("the result was not mailed: {}", sent.error().message()));
}

ExitStatus Session::end(const Result<Report>& result) {
  interrupts_.reset();
  RunEnd end{.action = action_name()};
  if (result) {
    end.report = &*result;
    end.status = result->status;
  } else {
    end.error = &result.error();
    end.status = status_of(result.error());
  }
  end.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  if (mail_ != nullptr) mail(end);
  events_.end(end);
  return end.status;
}

void Session::on_signal(Interrupts::Signal signal, const std::function<bool()>& again, const std::stop_token& stop) {
  if (stops_at_once_) {
    restore_terminal();
    ::_exit(static_cast<int>(ExitStatus::refused));
  }
  if (signal == Interrupts::Signal::interrupt && running_ && !events_.asking() && command_.flag("no-cancel")) return;
  const bool person = signal == Interrupts::Signal::interrupt && screen_.facts().can_ask && !signals_end_it_;
  if (!person || cancel_.cancelled() || events_.asking() || confirm_cancel(again, stop)) cancel_.cancel();
}

bool Session::confirm_cancel(const std::function<bool()>& again, const std::stop_token& stop) {
  bool sure = false;
  screen_.with_terminal([&](Tty& tty) {
    if (!tty.usable()) {
      sure = true;
      return;
    }
    tty.discard_typed();
    tty.print(fmt::format("\nCancel the {}? It goes on until you answer. [y/N] ", action_name()));
    std::string line;
    while (!stop.stop_requested()) {
      if (again()) sure = true;
      if (sure) return tty.print("\n");
      const Tty::Got got = tty.read_line(line, 50, cancel_);
      if (got == Tty::Got::nothing) continue;
      sure = got == Tty::Got::line && answer_typed(QuestionKind::yes_no, line) == Answer::yes;
      return;
    }
    tty.print("\n");
  });
  return sure;
}

}  // namespace tintype::cli
