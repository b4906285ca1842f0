// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <string>

#include "base/events.h"

namespace tintype::cli {

// The unattended modes un, uy, ui and um (FEATURES G30).
struct Unattended {
  bool no = false;      // No, Cancel, Abort
  bool yes = false;     // Yes, OK, Ignore; with `no` the later one holds, which the parser has settled
  bool ignore = false;  // Ignore where Abort, Retry, Ignore is asked, whatever else holds
  bool media = false;   // a request for another medium ends in an error
};

// The answer that needs no person, or nothing if one has to be asked. Without a terminal nobody can be asked, and
// what is not settled by a mode is answered as `no` does.
std::optional<Answer> answer_alone(const Question& question, const Unattended& modes, bool terminal);

// What a person typed, or nothing if it is no answer to this kind of question. An empty line is the safe answer.
std::optional<Answer> answer_typed(QuestionKind kind, std::string_view line);
// "[y/N]", "[a]bort, [r]etry, [i]gnore"
std::string choices(QuestionKind kind);
// No, Cancel or Abort.
Answer safe_answer(QuestionKind kind);

const char* to_string(Answer answer);
const char* to_string(QuestionKind kind);

}  // namespace tintype::cli
