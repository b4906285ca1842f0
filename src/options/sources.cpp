// SPDX-License-Identifier: GPL-3.0-or-later
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "options/lookup.h"
#include "options/parse.h"
#include "options/words.h"

namespace tintype::options {
namespace {

constexpr std::size_t kMaxIniBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxPasswordBytes = 4096;

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

// Up to `limit` bytes, to the end or the first line's end.
Result<std::string> read_up_to(int fd, std::size_t limit, bool first_line, const std::string& name) {
  std::string text;
  char byte_buffer[4096];
  while (text.size() <= limit) {
    // A descriptor may be shared with the caller: a line is read byte by byte so that nothing after it is lost.
    const ssize_t got = ::read(fd, byte_buffer, first_line ? 1 : sizeof byte_buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(os_error(errno, fmt::format("cannot read {}", name)));
    if (got == 0 || (first_line && byte_buffer[0] == '\n')) return text;
    text.append(byte_buffer, static_cast<std::size_t>(got));
  }
  return wrong(fmt::format("{} is longer than {} bytes", name, limit), "is it the right file?");
}

// Nothing if there is no such file.
Result<std::optional<std::string>> read_ini_file(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  const int code = file.get() < 0 ? errno : 0;
  struct stat status {};
  // Of a folder that may not be entered (HOME of somebody else, after setpriv) nothing is to be had, as of none.
  const bool unreachable = code == EACCES && ::stat(path.c_str(), &status) != 0 && errno == EACCES;
  if (code == ENOENT || code == ENOTDIR || unreachable) return std::nullopt;
  if (code != 0) return fail(os_error(code, fmt::format("cannot open {}", path)));
  if (::fstat(file.get(), &status) != 0) return fail(os_error(errno, fmt::format("cannot examine {}", path)));
  if (!S_ISREG(status.st_mode)) return wrong(fmt::format("{} is no regular file", path), "move it away");
  return TRY(read_up_to(file.get(), kMaxIniBytes, false, path));
}

std::vector<std::string> ini_paths() {
  std::vector<std::string> paths = {"tintype.ini", "IFW.INI", "ifw.ini"};
  const std::optional<std::string> config = variable("XDG_CONFIG_HOME");
  const std::optional<std::string> home = variable("HOME");
  if (config && !config->empty()) paths.push_back(*config + "/tintype/tintype.ini");
  else if (home && !home->empty()) paths.push_back(*home + "/.config/tintype/tintype.ini");
  paths.push_back("/etc/tintype.ini");
  return paths;
}

Result<std::string> read_password_line(const Setting& source) {
  const bool is_file = source.option == &option("password-file");
  const std::string name = is_file ? source.value.text : fmt::format("file descriptor {}", source.value.number);
  std::string line;
  if (is_file) {
    const FileDescriptor file(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return fail(os_error(errno, fmt::format("cannot open the password file {}", name)));
    line = TRY(read_up_to(file.get(), kMaxPasswordBytes, true, name));
  } else {
    line = TRY(read_up_to(static_cast<int>(source.value.number), kMaxPasswordBytes, true, name));
  }
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) return wrong(fmt::format("the first line of {} is empty", name), "put the password there");
  if (code_points(line) > option("password").max)
    return wrong(fmt::format("the password in {} is longer than 128 characters", name), "shorten it");
  return line;
}

}  // namespace

Result<Inputs> gather_inputs(int argc, const char* const* argv) {
  Inputs inputs;
  for (int i = 1; i < argc; ++i) inputs.arguments.emplace_back(argv[i]);
  inputs.ifw = variable("IFW");
  inputs.tintype = variable("TINTYPE");
  inputs.password = variable("TINTYPE_PASSWORD");
  for (const std::string& path : ini_paths()) {
    std::optional<std::string> text = TRY(read_ini_file(path));
    if (text) inputs.ini_files.push_back({path, std::move(*text)});
  }
  return inputs;
}

Result<std::optional<std::string>> read_password(const ParsedCommand& command) {
  const Setting* source = command.password_source();
  if (source == nullptr) return std::nullopt;
  if (source->option == &option("password")) return source->value.text;
  return TRY(read_password_line(*source));
}

}  // namespace tintype::options
