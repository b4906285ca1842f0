// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <syslog.h>

#include "base/text.h"
#include "ui/cli/log_listener.h"

namespace tintype::cli {
namespace {

enum Level : unsigned { kErrors = 1, kWarnings = 2, kStatus = 3, kAll = 4 };

class SyslogListener final : public Listener {
 public:
  explicit SyslogListener(unsigned level) : level_(level) { ::openlog("tintype", LOG_PID, LOG_USER); }
  ~SyslogListener() override { ::closelog(); }
  SyslogListener(const SyslogListener&) = delete;
  SyslogListener& operator=(const SyslogListener&) = delete;

  void start(const RunStart& start) override { put(kStatus, LOG_INFO, "start: " + start.command_line); }
  void stage(const std::string& name, std::uint64_t) override { put(kAll, LOG_INFO, "stage: " + name); }
  void message(const Message& message) override {
    switch (message.severity) {
      case Severity::debug: return put(kAll, LOG_DEBUG, message.text);
      case Severity::info: return put(kAll, LOG_INFO, message.text);
      case Severity::warning: return put(kWarnings, LOG_WARNING, message.text);
      case Severity::error: return put(kErrors, LOG_ERR, message.text);
    }
  }
  void end(const RunEnd& end) override {
    if (end.error != nullptr) put(kErrors, LOG_ERR, end.error->message());
    if (end.report != nullptr) tell(*end.report);
    put(kStatus, LOG_INFO, fmt::format("end: {}, {}, exit status {}", end.action, to_string(end.status), static_cast<int>(end.status)));
  }

 private:
  // A run that did not fail, and yet is not as it should be, is told at its level too.
  void tell(const Report& report) {
    for (const std::string& line : report.summary) {
      if (report.status == ExitStatus::damaged) put(kErrors, LOG_ERR, line);
      else if (report.status == ExitStatus::bad_sectors) put(kWarnings, LOG_WARNING, line);
      else put(kAll, LOG_INFO, line);
    }
  }

  void put(unsigned level, int priority, const std::string& text) {
    if (level <= level_) ::syslog(priority, "%s", printable(text).c_str());
  }

  const unsigned level_;
};

}  // namespace

std::unique_ptr<Listener> make_syslog_listener(unsigned level) { return std::make_unique<SyslogListener>(level); }

}  // namespace tintype::cli
