// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/log_text.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"
#include "ui/cli/answers.h"

namespace tintype::cli {

const char* to_string(Severity severity) {
  switch (severity) {
    case Severity::debug: return "debug";
    case Severity::info: return "info";
    case Severity::warning: return "warning";
    case Severity::error: return "error";
  }
  return "info";
}

void LogText::start(const RunStart& start) { put("start", start.command_line); }

void LogText::stage(const std::string& name, std::uint64_t total_bytes) {
  put("stage", fmt::format("{}, {}", name, format_size(total_bytes)));
}

void LogText::message(const Message& message) { put(to_string(message.severity), message.text); }

void LogText::answered(const Question& question, Answer answer) {
  put("question", fmt::format("{} Answer: {}.", question.text, to_string(answer)));
  for (const std::string& line : question.lost) put("question", "  " + line);
}

void LogText::end(const RunEnd& end) {
  if (end.error != nullptr) put("error", end.error->message());
  if (end.report != nullptr)
    for (const std::string& line : end.report->summary) put("info", line);
  put("end", fmt::format("{}: {} (exit status {}), {:.1f} s", end.action, to_string(end.status), static_cast<int>(end.status), end.seconds));
}

void LogText::put(const char* kind, const std::string& text) {
  sink_(fmt::format("{} [{}] {:<8} {}\n", iso8601(clock_.now()), ::getpid(), kind, printable(text)));
}

}  // namespace tintype::cli
