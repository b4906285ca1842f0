// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/screen.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"

namespace tintype::cli {
namespace {

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

void Screen::erase_status() {
  if (shown_) write_all(STDERR_FILENO, "\r\033[K");
  shown_ = false;
}

bool Screen::out(const std::string& text) {
  const std::lock_guard lock(mutex_);
  erase_status();
  return write_all(STDOUT_FILENO, text.ends_with('\n') ? text : text + "\n");
}

void Screen::put_error(const char* color, const char* word, const std::string& text) {
  const std::lock_guard lock(mutex_);
  erase_status();
  const std::string safe = printable(text);
  write_all(STDERR_FILENO, facts_.color ? fmt::format("{}{}:\033[0m {}\n", color, word, safe) : fmt::format("{}: {}\n", word, safe));
}

void Screen::warn(const std::string& text) { put_error("\033[33m", "warning", text); }
void Screen::error(const std::string& text) { put_error("\033[31m", "tintype", text); }

void Screen::status(const std::string& text) {
  if (!facts_.stderr_is_terminal) return;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return;  // a question has the terminal: work goes on without a picture of it
  const auto now = std::chrono::steady_clock::now();
  if (text.empty()) return erase_status();
  if (shown_ && now - drawn_ < std::chrono::milliseconds(100)) return;
  drawn_ = now;
  shown_ = true;
  write_all(STDERR_FILENO, "\r\033[K" + text);
}

void Screen::with_terminal(const std::function<void(Tty&)>& talk) {
  const std::lock_guard lock(mutex_);
  erase_status();
  Tty tty;
  talk(tty);
}

}  // namespace tintype::cli
