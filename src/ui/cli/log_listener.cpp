// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/log_listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "ui/cli/log_text.h"

namespace tintype::cli {
namespace {

class LogFile final : public LogText {
 public:
  LogFile(int fd, Clock& clock) : LogText(clock, [fd](const std::string& line) { write(fd, line); }), fd_(fd) {}
  ~LogFile() override { ::close(fd_); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

 private:
  // One write a line, so that several runs may share the file. A full disk must not stop the work.
  static void write(int fd, const std::string& line) {
    [[maybe_unused]] const ssize_t written = ::write(fd, line.data(), line.size());
  }

  const int fd_;
};

}  // namespace

Result<std::unique_ptr<Listener>> make_log_listener(const std::string& path, Clock& clock) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
  if (fd < 0)
    return fail(os_error(errno, fmt::format("cannot write the log file {}", path)).with_hint("name another one with --log-file, or keep none with --save-log=0"));
  struct stat st{};
  if (::fstat(fd, &st) != 0 || !(S_ISREG(st.st_mode) || S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode))) {
    ::close(fd);
    return fail(ErrorCode::usage, fmt::format("the log file {} is no file", path));
  }
  return std::make_unique<LogFile>(fd, clock);
}

}  // namespace tintype::cli
