// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/fan_out.h"

#include <fmt/format.h>

#include "base/text.h"

namespace tintype::cli {

void FanOut::start(const RunStart& start) {
  each([&](Listener& listener) { listener.start(start); });
}
void FanOut::end(const RunEnd& end) {
  each([&](Listener& listener) { listener.end(end); });
}
void FanOut::stage(const std::string& name, std::uint64_t total_bytes) {
  each([&](Listener& listener) { listener.stage(name, total_bytes); });
}
void FanOut::progress(const Progress& progress) {
  each([&](Listener& listener) { listener.progress(progress); });
}
void FanOut::message(const Message& message) {
  each([&](Listener& listener) { listener.message(message); });
}

Answer FanOut::ask(const Question& question) {
  const std::optional<Answer> alone = answer_alone(question, modes_, screen_.facts().can_ask);
  const Answer answer = alone ? *alone : ask_person(question);
  each([&](Listener& listener) { listener.answered(question, answer); });
  return answer;
}

Answer FanOut::ask_person(const Question& question) {
  Answer answer = safe_answer(question.kind);
  asking_ = true;
  screen_.with_terminal([&](Tty& tty) {
    if (!tty.usable()) return;
    tty.discard_typed();  // a key pressed earlier must not answer a question nobody has read
    tty.print(printable(question.text) + "\n");
    for (const std::string& line : question.lost) tty.print("  " + printable(line) + "\n");
    std::string line;
    for (;;) {
      tty.print(choices(question.kind) + " ");
      if (tty.read_line(line, -1, cancel_) != Tty::Got::line) return tty.print("\n");
      if (const std::optional<Answer> typed = answer_typed(question.kind, line)) {
        answer = *typed;
        return;
      }
    }
  });
  asking_ = false;
  return answer;
}

}  // namespace tintype::cli
