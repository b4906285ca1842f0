// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "options/document.h"
#include "options/words.h"

namespace tintype::options {
namespace {

std::string gnu_word(const Option& option, const Value& value) {
  if (option.kind != Kind::flag) return fmt::format("--{}={}", option.gnu, shown(option, value));
  return fmt::format("--{}{}", value.number != 0 ? "" : "no-", option.gnu);
}

std::string slash_word(const Option& option, const Value& value) {
  if (option.kind == Kind::virtual_drive) return fmt::format("/v{}", shown(option, value));
  const std::string_view name = option.slash.empty() ? option.gnu : option.slash;
  if (option.kind == Kind::flag) return fmt::format("/{}{}", name, value.number != 0 ? "" : ":0");
  return fmt::format("/{}:{}", name, shown(option, value));
}

// npt and its kin act on what follows them, so each of their words counts.
bool every_word_counts(const Option& option) {
  return option.repeatable || option.slash == "npt" || option.slash == "anpt" || option.slash == "nptrm";
}

}  // namespace

std::string show_command(const ParsedCommand& command, Spelling spelling) {
  const ActionInfo& action = info(command.action);
  std::string out = "tintype";
  const bool slash = spelling == Spelling::slash && !action.slash.empty();
  if (slash) out += fmt::format(" /{}", action.slash);
  else if (!action.gnu.empty()) out += fmt::format(" {}", action.gnu);
  for (const Setting& each : command.settings) {
    if (each.hd) continue;
    if (!every_word_counts(*each.option) && command.find(each.option->gnu) != &each) continue;
    const std::string word =
        spelling == Spelling::slash ? slash_word(*each.option, each.value) : gnu_word(*each.option, each.value);
    out += " " + shell_word(word);
  }
  return out;
}

}  // namespace tintype::options
