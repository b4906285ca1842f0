// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/events.h"
#include "ui/cli/terminal.h"

namespace tintype::cli {

// Standard output and standard error, with at most one line at the bottom of the terminal that is redrawn in place.
// Thread safe: signals' questions come from another thread than progress.
class Screen {
 public:
  explicit Screen(const TerminalFacts& facts) : facts_(facts) {}
  ~Screen() { status({}); }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  const TerminalFacts& facts() const { return facts_; }
  // A line (or several) on standard output. False if nobody reads it any more.
  bool out(const std::string& text);
  // "warning: …" or "error: …" on standard error.
  void warn(const std::string& text);
  void error(const std::string& text);
  // The line that is redrawn; empty takes it away. Only on a terminal, at most ten times a second.
  void status(const std::string& text);
  // While the terminal belongs to a question: no line is redrawn, and other output is kept for afterwards, without making anybody wait
  // (until there is too much of it). Another question waits.
  void with_terminal(const std::function<void(Tty&)>& talk);

 private:
  bool put(int fd, const std::string& text);
  void erase_status();
  void put_error(const char* color, const char* word, const std::string& text);

  const TerminalFacts facts_;
  std::mutex talk_mutex_;  // held by a question; taken before mutex_
  std::mutex mutex_;
  bool talking_ = false;
  std::vector<std::pair<int, std::string>> kept_;  // descriptors and what goes there after the question
  bool shown_ = false;
  std::chrono::steady_clock::time_point drawn_{};
};

}  // namespace tintype::cli
