// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/background.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>

namespace tintype::cli {
namespace {

// What the child tells: 'R' and lines, or 'E', the error's code, its errno, its sentence and its hint; all texts end in a zero byte.
void tell(int fd, const std::string& message) {
  for (std::size_t at = 0; at < message.size();) {
    const ssize_t n = ::write(fd, message.data() + at, message.size() - at);
    if (n < 0 && errno != EINTR) return;
    if (n > 0) at += static_cast<std::size_t>(n);
  }
}

std::string listen(int fd) {
  std::string out;
  char buffer[4096];
  while (true) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return out;
    out.append(buffer, static_cast<std::size_t>(n));
  }
}

std::vector<std::string> texts_of(const std::string& message, std::size_t from) {
  std::vector<std::string> out;
  while (from < message.size()) {
    const std::size_t end = message.find('\0', from);
    if (end == std::string::npos) break;
    out.push_back(message.substr(from, end - from));
    from = end + 1;
  }
  return out;
}

void leave_terminal() {
  const int null = ::open("/dev/null", O_RDWR);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, fd);
  if (null > STDERR_FILENO) ::close(null);
}

[[noreturn]] void be_child(int fd, const std::function<Result<void>(const Ready&)>& work) {
  ::setsid();
  bool ready = false;
  const Result<void> done = work([&](const std::vector<std::string>& lines) {
    std::string message = "R";
    for (const std::string& line : lines) message += line + '\0';
    leave_terminal();
    (void)!::chdir("/");
    tell(fd, message);
    ::close(fd);
    ready = true;
  });
  if (!done && !ready) {
    const Error& error = done.error();
    const std::string place = error.offset_bytes ? " (at byte " + std::to_string(*error.offset_bytes) + ")" : "";
    tell(fd, std::string("E") + static_cast<char>(error.code) + static_cast<char>(error.os_error) + error.what + place + '\0' + error.hint + '\0');
  }
  ::_exit(done ? 0 : 1);  // what the parent's objects would do at the end is the parent's to do
}

}  // namespace

Result<std::vector<std::string>> run_in_background(const std::function<Result<void>(const Ready&)>& work) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(os_error(errno, "cannot make a pipe"));
  const pid_t child = ::fork();
  if (child < 0) {
    const int code = errno;
    ::close(ends[0]);
    ::close(ends[1]);
    return fail(os_error(code, "cannot go on in the background"));
  }
  if (child == 0) {
    ::close(ends[0]);
    be_child(ends[1], work);
  }
  ::close(ends[1]);
  const std::string message = listen(ends[0]);
  ::close(ends[0]);
  if (message.starts_with('R')) return texts_of(message, 1);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const std::vector<std::string> texts = message.starts_with('E') ? texts_of(message, 3) : std::vector<std::string>();
  if (texts.size() < 2) return fail(ErrorCode::io, "what should go on in the background ended at once");
  Error error = make_error(static_cast<ErrorCode>(message[1]), texts[0], texts[1]);
  error.os_error = static_cast<unsigned char>(message[2]);
  return fail(std::move(error));
}

bool told_to_end() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  const timespec now{};
  return sigtimedwait(&set, nullptr, &now) > 0;
}

}  // namespace tintype::cli
