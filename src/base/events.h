// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace tintype {

// What an operation says while it runs. Nothing below the front ends prints, exits or asks in another way.

enum class Severity { debug, info, warning, error };

struct Message {
  Severity severity = Severity::info;
  std::string text;  // one sentence, no final newline
};

// Position of the running stage. done_bytes counts source bytes and only grows within a stage.
struct Progress {
  std::string stage;  // "backup", "validate", "restore", "compare" …
  std::string object; // what is being worked on now: "partition 1 (NTFS, Windows)"
  std::uint64_t done_bytes = 0;
  std::uint64_t total_bytes = 0;  // 0 with done_bytes above it: not known
};

enum class QuestionKind { yes_no, ok_cancel, abort_retry_ignore, medium };
enum class Answer { yes, no, ok, cancel, abort, retry, ignore };

struct Question {
  QuestionKind kind = QuestionKind::yes_no;
  std::string id;                  // stable word for --json and tests: "overwrite-target"
  std::string text;                // the question, one sentence
  std::vector<std::string> lost;   // what a "yes" destroys, a line each
};

// One listener of an operation. Calls come from one thread at a time, not always the same one; they must
// return quickly (except ask, which may wait for a person).
class Events {
 public:
  virtual ~Events() = default;
  virtual void stage(const std::string& name, std::uint64_t total_bytes) = 0;
  virtual void progress(const Progress& progress) = 0;
  virtual void message(const Message& message) = 0;
  virtual Answer ask(const Question& question) = 0;

  void info(std::string text) { message({Severity::info, std::move(text)}); }
  void warn(std::string text) { message({Severity::warning, std::move(text)}); }
};

}  // namespace tintype
