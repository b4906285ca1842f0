// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <string>

#include "base/environment.h"
#include "ui/cli/listener.h"

namespace tintype::cli {

// Every message, question and result as lines of text, each with its time in ISO 8601 (UTC) and its final newline. Control
// characters are replaced, so that nobody forges lines.
class LogText : public Listener {
 public:
  using Sink = std::function<void(const std::string& line)>;
  LogText(Clock& clock, Sink sink) : clock_(clock), sink_(std::move(sink)) {}

  void start(const RunStart& start) override;
  void stage(const std::string& name, std::uint64_t total_bytes) override;
  void message(const Message& message) override;
  void answered(const Question& question, Answer answer) override;
  void end(const RunEnd& end) override;

 private:
  void put(const char* kind, const std::string& text);

  Clock& clock_;
  const Sink sink_;
};

const char* to_string(Severity severity);

}  // namespace tintype::cli
