// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "base/environment.h"
#include "media/mail.h"
#include "options/command.h"
#include "ui/cli/log_text.h"

namespace tintype::cli {

// Lines of a log, of which a long one loses its middle.
class LogExcerpt {
 public:
  static constexpr std::size_t kMostBytes = 512 * 1024;
  void add(const std::string& line);
  std::string text() const;

 private:
  std::string first_;
  std::deque<std::string> last_;
  std::size_t last_bytes_ = 0;
  std::size_t left_out_ = 0;
};

// Hears a run as the log does and writes a letter about it (FEATURES G15). It is sent when the run has ended and before the
// other listeners hear so: whatever becomes of the letter still stands in the log and in --json.
class MailListener final : public Listener {
 public:
  // `objects`: what the run works on, "0 to /mnt/pc"; for the subject.
  MailListener(MailAccount account, std::string objects, Clock& clock);

  void start(const RunStart& start) override;
  void stage(const std::string& name, std::uint64_t total_bytes) override { log_text_.stage(name, total_bytes); }
  void message(const Message& message) override;
  void answered(const Question& question, Answer answer) override { log_text_.answered(question, answer); }

  Letter letter(const RunEnd& end);
  Result<void> send(const RunEnd& end, Random& random, const MailLimits& limits);

 private:
  const MailAccount account_;
  const std::string objects_;
  Clock& clock_;
  LogExcerpt log_;
  LogText log_text_;
  std::string command_line_;
  std::vector<std::string> troubles_;  // warnings and errors, not too many
  std::size_t trouble_count_ = 0;
};

// What a command works on: "0@1 to /mnt/pc" for a backup, "pc to #" for a restore, "pc" for a validation.
std::string objects_of(const options::ParsedCommand& command);

}  // namespace tintype::cli
