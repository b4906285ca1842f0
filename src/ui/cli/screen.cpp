// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/screen.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"

namespace tintype::cli {
namespace {

constexpr std::size_t kMostKept = 10'000;  // lines during a question

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

bool Screen::put(int fd, const std::string& text) {
  std::unique_lock lock(mutex_);
  if (talking_ && kept_.size() < kMostKept) {
    kept_.emplace_back(fd, text);
    return true;
  }
  std::unique_lock talk(talk_mutex_, std::defer_lock);
  if (talking_) {
    lock.unlock();
    talk.lock();
    lock.lock();
  }
  erase_status();
  return write_all(fd, text);
}

bool Screen::out(const std::string& text) { return put(STDOUT_FILENO, text.ends_with('\n') ? text : text + "\n"); }

void Screen::put_error(const char* color, const char* word, const std::string& text) {
  const std::string safe = printable(text);
  put(STDERR_FILENO, facts_.color ? fmt::format("{}{}:\033[0m {}\n", color, word, safe) : fmt::format("{}: {}\n", word, safe));
}

void Screen::warn(const std::string& text) { put_error("\033[33m", "warning", text); }
void Screen::error(const std::string& text) { put_error("\033[31m", "tintype", text); }

void Screen::status(const std::string& text) {
  if (!facts_.stderr_is_terminal) return;
  const std::lock_guard lock(mutex_);
  if (talking_) return;  // work goes on without a picture of it
  const auto now = std::chrono::steady_clock::now();
  if (text.empty()) return erase_status();
  if (shown_ && now - drawn_ < std::chrono::milliseconds(100)) return;
  drawn_ = now;
  shown_ = true;
  write_all(STDERR_FILENO, "\r\033[K" + text);
}

void Screen::with_terminal(const std::function<void(Tty&)>& talk) {
  const std::lock_guard alone(talk_mutex_);
  {
    const std::lock_guard lock(mutex_);
    erase_status();
    talking_ = true;
  }
  Tty tty;
  talk(tty);
  const std::lock_guard lock(mutex_);
  talking_ = false;
  for (const auto& [fd, text] : kept_) write_all(fd, text);
  kept_.clear();
}

}  // namespace tintype::cli
