// SPDX-License-Identifier: GPL-3.0-or-later
// Words of a command line, separated by newlines; words after an empty line are the variable TINTYPE. What is
// accepted must come back the same from its own "show command".
#include <cstddef>
#include <cstdint>

#include "base/local_time.h"
#include "options/document.h"
#include "options/parse.h"

using namespace tintype::options;

namespace {

Inputs inputs_of(std::string_view text) {
  Inputs inputs;
  inputs.allow_unbuilt = true;
  const std::size_t gap = text.find("\n\n");
  if (gap != std::string_view::npos) inputs.tintype = std::string(text.substr(gap + 2));
  inputs.arguments = split_fields(text.substr(0, gap), '\n');
  return inputs;
}

bool has_secret(const ParsedCommand& command) {
  for (const Setting& each : command.settings)
    if (each.option->secret()) return true;
  return false;
}

// The words that show_command would print, without the shell's quoting.
Inputs shown_again(const ParsedCommand& command) {
  Inputs again;
  again.allow_unbuilt = true;
  again.arguments = {std::string(info(command.action).gnu)};
  if (command.action == Action::none) again.arguments.clear();
  for (const Setting& each : command.settings) {
    const bool off = each.option->kind == Kind::flag;
    again.arguments.push_back("--" + std::string(each.option->gnu) + "=" +
                              (off ? each.value.text : shown(*each.option, each.value)));
  }
  return again;
}

// Name variables and stretches of time: any text, never a crash; what has no variable comes back as it is.
void read_small_texts(const std::string& text) {
  const NameVariables variables{.moment = {}, .version = "1", .saved = {}};
  const auto expanded = expand_names(text, variables);
  if (text.find("$~") == std::string::npos && (!expanded || *expanded != text)) __builtin_trap();
  (void)check_saved_name(text);
  if (const auto span = tintype::parse_span(text)) (void)tintype::before(std::chrono::local_seconds{}, *span);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read_small_texts({reinterpret_cast<const char*>(data), size});
  const Inputs inputs = inputs_of({reinterpret_cast<const char*>(data), size});
  const auto command = parse_command(inputs);
  if (!command) {
    if (command.error().code != tintype::ErrorCode::usage || command.error().message().empty()) __builtin_trap();
    return 0;
  }
  if (command->action == Action::help || command->action == Action::version || has_secret(*command)) return 0;
  if (show_command(*command, Spelling::slash).empty() || show_command(*command, Spelling::gnu).empty()) return 0;
  const auto again = parse_command(shown_again(*command));
  // A password source in the environment and not on the line is the one case in which the place matters.
  if (!again && !command->has("password-file") && !command->has("password-fd")) __builtin_trap();
  if (again && again->settings.size() != command->settings.size()) __builtin_trap();
  for (std::size_t i = 0; again && i < again->settings.size(); ++i)
    if (again->settings[i].value.number != command->settings[i].value.number) __builtin_trap();
  return 0;
}
