// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "options/document.h"
#include "ui/cli/actions.h"
#include "ui/cli/version.h"

namespace tintype::cli {

ExitStatus run_help_action(const options::ParsedCommand& command, bool slash) {
  Screen screen(find_terminal(command.flag("no-color")));
  if (command.action == options::Action::version) {
    screen.out(fmt::format("tintype {}", kVersion));
    return ExitStatus::success;
  }
  const std::size_t width = screen.facts().stdout_is_terminal ? terminal_columns() : 80;
  const auto spelling = slash ? options::Spelling::slash : options::Spelling::gnu;
  screen.out(options::help_text(command.help_topic, spelling, width));
  return ExitStatus::success;
}

}  // namespace tintype::cli
