// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace tintype {

struct ChildOptions {
  // A file that its standard output and error go to, beside which it has no input; empty: all three are ours.
  std::string output_file{};
  bool own_session = false;  // keys that end a program do not reach it
};

// Another program, run by this one. It is told to end when this object goes, and when the thread that started it ends, however it ends.
class ChildProcess {
 public:
  // `words[0]` is looked for in PATH. Error{not_found} if there is no such program.
  static Result<std::unique_ptr<ChildProcess>> start(const std::vector<std::string>& words, const ChildOptions& options = {});
  virtual ~ChildProcess() = default;  // terminate()
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Its exit status (128 + the signal that ended it) once it has ended; empty: not within that time.
  virtual std::optional<int> wait(std::chrono::milliseconds most) = 0;
  // Asks it to end, and ends it if it has not after some seconds.
  virtual void terminate() = 0;

 protected:
  ChildProcess() = default;
};

// A folder of this user alone (0700) for sockets, mounts and other things that must go with the process. Whatever such folders of
// processes that are no more have left behind is removed first.
class PrivateFolder {
 public:
  static Result<std::unique_ptr<PrivateFolder>> make();
  ~PrivateFolder();  // removes it with the files and empty folders in it
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  explicit PrivateFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace tintype
