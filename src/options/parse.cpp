// SPDX-License-Identifier: GPL-3.0-or-later
#include "options/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "options/ini.h"
#include "options/lookup.h"

namespace tintype::options {
namespace {

Result<void> add_ini(const Inputs& inputs, ParsedCommand& command) {
  for (const IniText& file : inputs.ini_files | std::views::reverse) {
    IniSettings found = TRY(settings_from_ini(file.path, file.text, command.action, inputs.menus));
    std::ranges::move(found.settings, std::back_inserter(command.settings));
    std::ranges::move(found.notes, std::back_inserter(command.notes));
  }
  return {};
}

Result<void> add_variable(const std::optional<std::string>& text, const char* name, ParsedCommand& command) {
  if (!text) return {};
  std::vector<Setting> found = TRY(parse_variable(command.action, name, *text));
  std::ranges::move(found, std::back_inserter(command.settings));
  return {};
}

Result<void> add_password(const Inputs& inputs, ParsedCommand& command) {
  const Option& password = option("password");
  if (!inputs.password || inputs.password->empty() || !password.belongs_to(command.action)) return {};
  const std::string where = "the variable TINTYPE_PASSWORD";
  Result<Value> value = parse_value(password, *inputs.password);
  if (!value) return fail(std::move(value).error().within(where));
  command.settings.push_back({&password, std::move(value).take(), Origin{Place::environment, where}, std::nullopt});
  return {};
}

// A line of an INI file that only says what happens anyway asks for nothing that is not built.
bool says_default(const Setting& setting) {
  const Option& option = *setting.option;
  if (option.default_value.empty()) return option.kind == Kind::flag && setting.value.number == 0;
  const Result<Value> standard = parse_value(option, option.default_value);
  return standard && standard->number == setting.value.number && option.kind != Kind::text;
}

Result<void> refuse_unbuilt(const ParsedCommand& command) {
  for (const Setting& each : command.settings) {
    if (each.option->built || (each.origin.place == Place::ini && says_default(each))) continue;
    const std::string slash =
        each.option->slash.empty() ? "" : fmt::format(" (/{})", each.option->slash);
    return wrong(fmt::format("{}: the option --{}{} is not built yet", each.origin.where, each.option->gnu, slash),
                 "leave it out; nothing has been touched");
  }
  return {};
}

void note_no_effect(ParsedCommand& command) {
  for (const Option& each : catalogue()) {
    if (!each.no_effect_here) continue;
    const bool said = std::ranges::any_of(command.settings, [&](const Setting& s) { return s.option == &each; });
    if (said) command.notes.push_back(fmt::format("option --{} (/{}) has no effect on this system", each.gnu, each.slash));
  }
}

// Paths that count get what their variables stand for; an overruled one may name what is long gone.
Result<void> expand_paths(const NameVariables& names, ParsedCommand& command) {
  command.moment = names.moment;
  for (Setting& each : command.settings) {
    const Option& option = *each.option;
    if (option.kind != Kind::path || (!option.repeatable && command.find(option.gnu) != &each)) continue;
    Result<std::string> expanded = expand_names(each.value.text, names);
    if (!expanded) return fail(std::move(expanded).error().within(each.origin.where));
    each.value.text = std::move(expanded).take();
  }
  return {};
}

}  // namespace

Result<ParsedCommand> parse_command(const Inputs& inputs) {
  if (inputs.arguments.size() > 4096) return wrong("more than 4096 words on the command line");
  ParsedCommand line = TRY(parse_command_line(inputs));
  if (line.action == Action::help || line.action == Action::version) return line;
  ParsedCommand command;
  command.action = line.action;
  TRY(add_ini(inputs, command));
  TRY(add_variable(inputs.ifw, "IFW", command));
  TRY(add_variable(inputs.tintype, "TINTYPE", command));
  TRY(add_password(inputs, command));
  std::ranges::move(line.settings, std::back_inserter(command.settings));
  if (!inputs.allow_unbuilt) TRY(refuse_unbuilt(command));
  note_no_effect(command);
  if (inputs.names) TRY(expand_paths(*inputs.names, command));
  if (!inputs.menus) TRY(check_together(command));
  return command;
}

}  // namespace tintype::options
