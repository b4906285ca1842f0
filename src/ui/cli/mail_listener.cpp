// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/mail_listener.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "base/text.h"

namespace tintype::cli {
namespace {

constexpr std::size_t kMostTroubles = 100;

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

void LogExcerpt::add(const std::string& line) {
  if (last_.empty() && first_.size() + line.size() <= kMostBytes / 2) {
    first_ += line;
    return;
  }
  last_.push_back(line);
  last_bytes_ += line.size();
  for (; last_bytes_ > kMostBytes / 2; ++left_out_) {
    last_bytes_ -= last_.front().size();
    last_.pop_front();
  }
}

std::string LogExcerpt::text() const {
  std::string text = first_;
  if (left_out_ != 0) text += fmt::format("... {} lines are left out here ...\n", left_out_);
  for (const std::string& line : last_) text += line;
  return text;
}

MailListener::MailListener(MailAccount account, std::string objects, Clock& clock)
    : account_(std::move(account)), objects_(std::move(objects)), clock_(clock),
      log_text_(clock, [this](const std::string& line) { log_.add(line); }) {}

void MailListener::start(const RunStart& start) {
  command_line_ = start.command_line;
  log_text_.start(start);
}

void MailListener::message(const Message& message) {
  log_text_.message(message);
  if (message.severity != Severity::warning && message.severity != Severity::error) return;
  if (++trouble_count_ <= kMostTroubles) troubles_.push_back(fmt::format("{}: {}", to_string(message.severity), printable(message.text)));
}

Letter MailListener::letter(const RunEnd& end) {
  log_text_.end(end);
  Letter letter;
  letter.subject = printable(fmt::format("tintype {} of {}: {} ({})", end.action, objects_, to_string(end.status), host_name()));
  letter.text = fmt::format("{}\nexit status {}, {:.1f} s\n\n", letter.subject, static_cast<int>(end.status), end.seconds);
  if (end.error != nullptr) letter.text += fmt::format("error: {}\n", printable(end.error->message()));
  if (end.report != nullptr)
    for (const std::string& line : end.report->summary) letter.text += printable(line) + "\n";
  if (!troubles_.empty()) letter.text += "\nWarnings and errors:\n";
  for (const std::string& line : troubles_) letter.text += fmt::format("  {}\n", line);
  if (trouble_count_ > troubles_.size()) letter.text += fmt::format("  and {} more\n", trouble_count_ - troubles_.size());
  letter.text += fmt::format("\nCommand: {}\n", printable(command_line_));
  letter.attachment = log_.text();
  letter.attachment_name = "tintype-log.txt";
  return letter;
}

Result<void> MailListener::send(const RunEnd& end, Random& random, const MailLimits& limits) {
  return send_mail(account_, letter(end), clock_, random, limits);
}

std::string objects_of(const options::ParsedCommand& command) {
  std::string drives;
  for (const std::string& each : command.texts("drive")) drives += (drives.empty() ? "" : ", ") + each;
  const std::string file = command.text("file").value_or("");
  switch (command.action) {
    case options::Action::backup: return fmt::format("{} to {}", drives, file);
    case options::Action::restore: return fmt::format("{} to {}", file, drives.empty() ? "its own drive" : drives);
    case options::Action::copy:
      return fmt::format("{} to {}", command.text("source-drive").value_or(""), command.text("target-drive").value_or(""));
    default: return file;
  }
}

}  // namespace tintype::cli
