// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <thread>

namespace tintype {
namespace {

class LinuxChild final : public ChildProcess {
 public:
  explicit LinuxChild(pid_t pid) : pid_(pid) {}
  ~LinuxChild() override { end(); }

  std::optional<int> wait(std::chrono::milliseconds most) override {
    const auto until = std::chrono::steady_clock::now() + most;
    while (!status_) {
      int raw = 0;
      const pid_t got = ::waitpid(pid_, &raw, WNOHANG);
      if (got == pid_) status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
      else if (got < 0 && errno != EINTR) status_ = 127;
      else if (std::chrono::steady_clock::now() >= until) break;
      else std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return status_;
  }

  void terminate() override { end(); }

 private:
  void end() {
    if (wait(std::chrono::milliseconds(0))) return;
    ::kill(pid_, SIGTERM);
    if (wait(std::chrono::seconds(5))) return;
    ::kill(pid_, SIGKILL);
    wait(std::chrono::seconds(5));
  }

  pid_t pid_;
  std::optional<int> status_;
};

// In the child. Tells through `tell` why it could not become the program; the descriptor closes by itself if it does.
[[noreturn]] void become(char* const* words, int tell, pid_t parent, const ChildOptions& options) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (options.own_session) ::setsid();
  if (!options.output_file.empty()) {
    const int null = ::open("/dev/null", O_RDONLY);
    const int out = ::open(options.output_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (null < 0 || out < 0) ::_exit(126);
    ::dup2(null, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
  }
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);  // it ended before that was said
  ::execvp(words[0], words);
  const int code = errno;
  (void)!::write(tell, &code, sizeof code);
  ::_exit(127);
}

}  // namespace

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(const std::vector<std::string>& words, const ChildOptions& options) {
  std::vector<char*> raw;
  for (const std::string& word : words) raw.push_back(const_cast<char*>(word.c_str()));
  raw.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(os_error(errno, "cannot make a pipe"));
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(raw.data(), ends[1], parent, options);
  const int fork_code = errno;
  ::close(ends[1]);
  int code = 0;
  const bool failed = pid > 0 && ::read(ends[0], &code, sizeof code) == sizeof code;
  ::close(ends[0]);
  if (pid < 0) return fail(os_error(fork_code, fmt::format("cannot start {}", words[0])));
  auto child = std::make_unique<LinuxChild>(pid);
  if (!failed) return std::unique_ptr<ChildProcess>(std::move(child));
  child->wait(std::chrono::seconds(5));
  if (code == ENOENT) return fail(ErrorCode::not_found, fmt::format("the program {} is not installed", words[0]));
  return fail(os_error(code, fmt::format("cannot start {}", words[0])));
}

}  // namespace tintype
