// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/terminal.h"

#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>

namespace tintype::cli {
namespace {

constexpr std::size_t kMaxLineBytes = 4096;
constexpr int kPollMs = 100;  // how soon a cancellation is noticed

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool is_dumb() {
  const char* term = std::getenv("TERM");
  return term == nullptr || std::strcmp(term, "dumb") == 0;
}

bool opens_tty() {
  const int fd = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}

// The echo that read_secret() switched off, for restore_terminal().
termios g_saved{};
std::atomic<int> g_hidden_fd{-1};

class HiddenInput {
 public:
  explicit HiddenInput(int fd) {
    if (::tcgetattr(fd, &g_saved) != 0) return;
    termios hidden = g_saved;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    g_hidden_fd = fd;
    ::tcsetattr(fd, TCSAFLUSH, &hidden);
  }
  ~HiddenInput() { restore_terminal(); }
  HiddenInput(const HiddenInput&) = delete;
  HiddenInput& operator=(const HiddenInput&) = delete;
};

}  // namespace

void restore_terminal() noexcept {
  const int fd = g_hidden_fd.exchange(-1);
  if (fd >= 0) ::tcsetattr(fd, TCSANOW, &g_saved);
}

TerminalFacts find_terminal(bool no_color) {
  TerminalFacts facts;
  facts.stdout_is_terminal = ::isatty(STDOUT_FILENO) == 1;
  facts.stderr_is_terminal = ::isatty(STDERR_FILENO) == 1;
  const bool stdin_is_terminal = ::isatty(STDIN_FILENO) == 1;
  facts.can_ask = (stdin_is_terminal && facts.stderr_is_terminal) ||
                  ((stdin_is_terminal || facts.stderr_is_terminal) && opens_tty());
  facts.color = facts.stderr_is_terminal && !no_color && !is_set("NO_COLOR") && !is_dumb();
  facts.utf8 = std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0;
  return facts;
}

std::size_t terminal_columns() {
  for (const int fd : {STDERR_FILENO, STDOUT_FILENO}) {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  }
  return 80;
}

Tty::Tty() {
  const int fd = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (fd >= 0) {
    own_ = true;
    input_ = output_ = fd;
  } else if (::isatty(STDIN_FILENO) == 1) {
    input_ = STDIN_FILENO;
    output_ = STDERR_FILENO;
  }
}

Tty::~Tty() {
  if (own_) ::close(input_);
}

void Tty::print(const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t n = ::write(output_, text.data() + at, text.size() - at);
    if (n <= 0) return;
    at += static_cast<std::size_t>(n);
  }
}

void Tty::discard_typed() {
  ::tcflush(input_, TCIFLUSH);
  typed_.clear();
}

Tty::Got Tty::read_line(std::string& line, int timeout_ms, const CancelToken& cancel) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  for (;;) {
    if (const std::size_t newline = typed_.find('\n'); newline != std::string::npos) {
      line = typed_.substr(0, newline);
      typed_.erase(0, newline + 1);
      return Got::line;
    }
    if (cancel.cancelled()) return Got::cancelled;
    pollfd waiting{input_, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, kPollMs);
    if (ready > 0) {
      char buffer[512];
      const ssize_t n = ::read(input_, buffer, sizeof buffer);
      if (n <= 0 || typed_.size() > kMaxLineBytes) return Got::end;
      typed_.append(buffer, static_cast<std::size_t>(n));
    } else if (timeout_ms >= 0 && std::chrono::steady_clock::now() >= end) {
      return Got::nothing;
    }
  }
}

Result<std::string> Tty::read_secret(const std::string& prompt, const CancelToken& cancel) {
  std::string line;
  Got got = Got::end;
  {
    const HiddenInput hidden(input_);  // before the prompt: what is typed as soon as it shows must not be seen or lost
    print(prompt);
    typed_.clear();
    got = read_line(line, -1, cancel);
  }
  print("\n");
  if (got != Got::line) return fail(ErrorCode::cancelled, "no password was given");
  return line;
}

}  // namespace tintype::cli
