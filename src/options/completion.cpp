// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "options/document.h"

namespace tintype::options {
namespace {

// Built options only: completion should not lead into a refusal.
std::string option_words(Action action) {
  std::string out;
  for (const Option* each : options_of(action)) {
    if (!each->built) continue;
    if (!out.empty()) out += ' ';
    out += fmt::format("--{}{}", each->gnu, each->value_name.empty() || each->value_optional ? "" : "=");
  }
  return out;
}

std::string verbs() {
  std::string out;
  for (const ActionInfo& each : all_actions())
    if (each.built && !each.gnu.empty()) out += fmt::format("{}{}", out.empty() ? "" : " ", each.gnu);
  return out;
}

std::string action_cases() {
  std::string out;
  for (const ActionInfo& each : all_actions()) {
    if (!each.built || each.gnu.empty() || each.action == Action::help || each.action == Action::version) continue;
    const std::string slash = each.slash.empty() ? "" : fmt::format("|/{}", each.slash);
    out += fmt::format("    {}{}) words='{}' ;;\n", each.gnu, slash, option_words(each.action));
  }
  return out;
}

std::string choice_cases() {
  std::string out;
  for (const Option& each : catalogue()) {
    if (!each.built || each.choices.empty()) continue;
    std::string values;
    for (const Choice& choice : each.choices) values += fmt::format("{}{}", values.empty() ? "" : " ", choice.word);
    out += fmt::format("    --{}) COMPREPLY=($(compgen -W '{}' -- \"$cur\")); return ;;\n", each.gnu, values);
  }
  return out;
}

std::string file_options() {
  std::string out;
  for (const Option& each : catalogue())
    if (each.built && (each.kind == Kind::path || each.kind == Kind::drive))
      out += fmt::format("{}--{}", out.empty() ? "" : "|", each.gnu);
  return out;
}

}  // namespace

std::string bash_completion() {
  return fmt::format(R"(# SPDX-License-Identifier: GPL-3.0-or-later
# bash completion for tintype; made from the option catalogue, do not edit.
_tintype() {{
  local cur prev words
  COMPREPLY=()
  cur=${{COMP_WORDS[COMP_CWORD]}}
  prev=${{COMP_WORDS[COMP_CWORD-1]}}
  # "--option=value" reaches us as three words
  if [ "$cur" = "=" ]; then cur=''; elif [ "$prev" = "=" ]; then prev=${{COMP_WORDS[COMP_CWORD-2]}}; fi
  if [ "$COMP_CWORD" -eq 1 ] || [ "$prev" = help ]; then
    COMPREPLY=($(compgen -W '{}' -- "$cur"))
    return
  fi
  case $prev in
{}    {}) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  case ${{COMP_WORDS[1]}} in
{}    *) words='' ;;
  esac
  case $cur in
    -*) COMPREPLY=($(compgen -W "$words --help" -- "$cur"))
        [[ ${{COMPREPLY[0]}} == *= ]] && compopt -o nospace ;;
    *) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")) ;;
  esac
}}
complete -F _tintype tintype
)",
                     verbs(), choice_cases(), file_options(), action_cases());
}

}  // namespace tintype::options
