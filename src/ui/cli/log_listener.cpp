// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/log_listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "ui/cli/answers.h"

namespace tintype::cli {
namespace {

const char* word(Severity severity) {
  switch (severity) {
    case Severity::debug: return "debug";
    case Severity::info: return "info";
    case Severity::warning: return "warning";
    case Severity::error: return "error";
  }
  return "info";
}

class LogListener final : public Listener {
 public:
  LogListener(int fd, Clock& clock) : fd_(fd), clock_(clock) {}
  ~LogListener() override { ::close(fd_); }
  LogListener(const LogListener&) = delete;
  LogListener& operator=(const LogListener&) = delete;

  void start(const RunStart& start) override { put("start", start.command_line); }
  void stage(const std::string& name, std::uint64_t total) override { put("stage", fmt::format("{}, {}", name, format_size(total))); }
  void message(const Message& message) override { put(word(message.severity), message.text); }
  void answered(const Question& question, Answer answer) override {
    put("question", fmt::format("{} Answer: {}.", question.text, to_string(answer)));
    for (const std::string& line : question.lost) put("question", "  " + line);
  }
  void end(const RunEnd& end) override {
    if (end.error != nullptr) put("error", end.error->message());
    if (end.report != nullptr)
      for (const std::string& line : end.report->summary) put("info", line);
    put("end", fmt::format("{}: {} (exit status {}), {:.1f} s", end.action, to_string(end.status),
                           static_cast<int>(end.status), end.seconds));
  }

 private:
  void put(const char* kind, const std::string& text) {
    const std::string line = fmt::format("{} [{}] {:<8} {}\n", iso8601(clock_.now()), ::getpid(), kind, printable(text));
    // One write a line, so that several runs may share the file. A full disk must not stop the work.
    [[maybe_unused]] const ssize_t written = ::write(fd_, line.data(), line.size());
  }

  const int fd_;
  Clock& clock_;
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
  return std::make_unique<LogListener>(fd, clock);
}

}  // namespace tintype::cli
