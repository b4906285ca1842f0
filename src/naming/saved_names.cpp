// SPDX-License-Identifier: GPL-3.0-or-later
#include "naming/saved_names.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace tintype {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 20;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string set_variable(const char* name) {
  const char* value = std::getenv(name);
  // The XDG rules say that a relative path does not count.
  return value != nullptr && value[0] == '/' ? value : "";
}

std::unexpected<Error> no_sense(const std::string& path) {
  return fail(ErrorCode::corrupt, fmt::format("the saved names in {} make no sense", path),
              "correct the file or move it away");
}

Result<void> write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(os_error(errno, fmt::format("cannot write {}", path)));
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fsync(fd) != 0) return fail(os_error(errno, fmt::format("cannot flush {}", path)));
  return {};
}

Result<void> replace_file(const std::string& path, std::string_view text) {
  std::string temporary = path + ".XXXXXX";
  const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));  // 0600
  if (file.get() < 0) return fail(os_error(errno, fmt::format("cannot create a file beside {}", path)));
  Result<void> done = write_all(file.get(), text, temporary);
  if (done && ::rename(temporary.c_str(), path.c_str()) != 0)
    done = fail(os_error(errno, fmt::format("cannot replace {}", path)));
  if (!done) {
    ::unlink(temporary.c_str());
    return done;
  }
  const Descriptor folder(::open(std::filesystem::path(path).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0) (void)::fsync(folder.get());
  return {};
}

}  // namespace

Result<std::string> saved_names_path() {
  std::string state = set_variable("XDG_STATE_HOME");
  if (state.empty()) {
    std::string home = set_variable("HOME");
    if (home.empty())
      if (const passwd* user = ::getpwuid(::geteuid()); user != nullptr && user->pw_dir != nullptr) home = user->pw_dir;
    if (home.empty())
      return fail(ErrorCode::not_found, "there is no home folder for saved names", "set HOME or XDG_STATE_HOME");
    state = home + "/.local/state";
  }
  return state + "/tintype/names.json";
}

Result<SavedNames> load_saved_names(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0 && (errno == ENOENT || errno == ENOTDIR)) return SavedNames{};
  if (file.get() < 0) return fail(os_error(errno, fmt::format("cannot open the saved names in {}", path)));
  std::string text;
  char buffer[4096];
  while (text.size() <= kMaxBytes) {
    const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(os_error(errno, fmt::format("cannot read the saved names in {}", path)));
    if (n == 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  if (text.size() > kMaxBytes) return no_sense(path);
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return no_sense(path);
  SavedNames names;
  for (const auto& [name, value] : json.items()) {
    if (!value.is_string()) return no_sense(path);
    names[name] = value.get<std::string>();
  }
  return names;
}

Result<void> save_name(const std::string& path, const std::string& name, const std::string& value) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  std::filesystem::create_directories(folder.parent_path(), error);
  if (!error && ::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) error = std::error_code(errno, std::generic_category());
  if (error) return fail(os_error(error.value(), fmt::format("cannot make the folder {}", folder.string())));
  // One process at a time reads, changes and replaces; the lock is on a file that is never replaced.
  const std::string lock_path = path + ".lock";
  const Descriptor lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.get() < 0) return fail(os_error(errno, fmt::format("cannot open {}", lock_path)));
  while (::flock(lock.get(), LOCK_EX) != 0 && errno == EINTR) {}
  SavedNames names = TRY(load_saved_names(path));
  names[name] = value;
  // Paths are bytes; those that are no UTF-8 could not be told apart afterwards.
  try {
    return replace_file(path, nlohmann::json(names).dump(2) + "\n");
  } catch (const nlohmann::json::exception&) {
    return fail(ErrorCode::unsupported, "a path that is no UTF-8 cannot be kept under a name", "rename the image");
  }
}

}  // namespace tintype
