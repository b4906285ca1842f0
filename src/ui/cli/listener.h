// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/events.h"
#include "ui/cli/exit_status.h"

namespace tintype::cli {

// One figure of a result, for --json: "image_bytes": 123.
struct Fact {
  std::string name;
  std::variant<std::uint64_t, std::string, std::vector<std::string>> value;
};

// A table of a result, for --json: "sets": [{"name": "pc", …}, …].
struct Rows {
  std::string name;
  std::vector<std::vector<Fact>> rows;
};

// How an action ended, when it did not fail outright.
struct Report {
  ExitStatus status = ExitStatus::success;
  std::vector<std::string> summary;  // for people, a line each
  std::vector<Fact> facts;
  std::vector<Rows> tables;
};

struct RunStart {
  std::string action;        // "backup"
  std::string command_line;  // as the user could type it again, secrets masked
  std::string notice;        // text to show while it runs (G25); may be empty
};

struct RunEnd {
  std::string action;
  ExitStatus status = ExitStatus::success;
  const Error* error = nullptr;  // null if the action did not fail outright
  const Report* report = nullptr;  // null if it did
  double seconds = 0;
};

// Somebody who hears what an operation says. Calls come one at a time, from any thread, and must return quickly.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void start(const RunStart&) {}
  virtual void stage(const std::string&, std::uint64_t) {}
  virtual void progress(const Progress&) {}
  virtual void message(const Message&) {}
  virtual void answered(const Question&, Answer) {}
  virtual void end(const RunEnd&) {}
};

}  // namespace tintype::cli
