// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/terminal_listener.h"

#include <fmt/format.h>

#include "base/text.h"
#include "ui/cli/progress_text.h"

namespace tintype::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPlainInterval = std::chrono::seconds(30);

class TerminalListener final : public Listener {
 public:
  TerminalListener(Screen& screen, bool quiet) : screen_(screen), quiet_(quiet) {}

  void start(const RunStart& start) override {
    if (!start.notice.empty()) screen_.out(start.notice);
  }

  void stage(const std::string&, std::uint64_t) override {
    screen_.status({});
    const auto now = Clock::now();
    speed_.restart(now);
    told_at_ = now;
    told_tenth_ = 0;
  }

  void progress(const Progress& progress) override {
    if (quiet_) return;
    const auto now = Clock::now();
    speed_.update(progress.done_bytes, now);
    if (screen_.facts().stderr_is_terminal) {
      // One column stays free: a full line would wrap on some terminals.
      screen_.status(progress_line(progress, speed_, terminal_columns() - 1, screen_.facts().utf8));
      return;
    }
    const unsigned tenth = percent(progress) / 10;
    if (tenth == told_tenth_ && now - told_at_ < kPlainInterval) return;
    told_tenth_ = tenth;
    told_at_ = now;
    screen_.out(progress_sentence(progress, speed_));
  }

  void message(const Message& message) override {
    switch (message.severity) {
      case Severity::debug: break;
      case Severity::info:
        if (!quiet_) screen_.out(printable(message.text));
        break;
      case Severity::warning: screen_.warn(message.text); break;
      case Severity::error: screen_.error(message.text); break;
    }
  }

  void end(const RunEnd& end) override {
    screen_.status({});
    if (end.error != nullptr) screen_.error(end.error->message());
    if (end.report == nullptr) return;
    for (const std::string& line : end.report->summary) {
      if (end.status == ExitStatus::damaged) screen_.error(line);
      else if (!quiet_) screen_.out(printable(line));
    }
  }

 private:
  Screen& screen_;
  const bool quiet_;
  SpeedMeter speed_;
  Clock::time_point told_at_{};
  unsigned told_tenth_ = 0;
};

}  // namespace

std::unique_ptr<Listener> make_terminal_listener(Screen& screen, bool quiet) {
  return std::make_unique<TerminalListener>(screen, quiet);
}

}  // namespace tintype::cli
