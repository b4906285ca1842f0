// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstddef>
#include <string>

#include "base/cancel.h"
#include "base/result.h"

namespace tintype::cli {

// What the program is connected to. Found out once, at the start.
struct TerminalFacts {
  bool stdout_is_terminal = false;
  bool stderr_is_terminal = false;
  bool can_ask = false;  // somebody sits there who can be asked
  bool color = false;    // on stderr
  bool utf8 = false;     // the locale's character set, for drawing
};
// `no_color`: the option of that name; the variable NO_COLOR does the same.
TerminalFacts find_terminal(bool no_color);

// Columns of the terminal behind stderr (or stdout), 80 if that cannot be told.
std::size_t terminal_columns();

// The terminal as a person uses it, for questions and passwords: /dev/tty, or else standard input.
class Tty {
 public:
  Tty();
  ~Tty();
  Tty(const Tty&) = delete;
  Tty& operator=(const Tty&) = delete;

  bool usable() const { return input_ >= 0; }
  void print(const std::string& text);
  // Drops what was typed before now.
  void discard_typed();
  // One line without its end. Waits at most `timeout_ms` (negative: for ever) and gives up when `cancel` is set.
  enum class Got { line, nothing, end, cancelled };
  Got read_line(std::string& line, int timeout_ms, const CancelToken& cancel);
  // The same with nothing shown while it is typed. Error{cancelled} at the end of input or when cancelled.
  Result<std::string> read_secret(const std::string& prompt, const CancelToken& cancel);

 private:
  int input_ = -1;
  int output_ = -1;
  bool own_ = false;
  std::string typed_;
};

// Puts the terminal back as it was before a read_secret() that is still waiting. For the way out on a signal.
void restore_terminal() noexcept;

}  // namespace tintype::cli
