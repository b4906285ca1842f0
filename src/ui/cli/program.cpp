// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/program.h"

#include <clocale>
#include <csignal>
#include <string_view>

#include "options/parse.h"
#include "ui/cli/actions.h"

namespace tintype::cli {
namespace {

using options::Action;
using options::ParsedCommand;

ExitStatus report_failure(const Error& error) {
  Screen(find_terminal(false)).error(error.message());
  return status_of(error);
}

Result<Report> run_chosen(Session& session) {
  const ParsedCommand& command = session.command();
  if (command.action == Action::list) return run_list_action(session);
  if (!command.flag("dry-run")) TRY(session.begin());
  switch (command.action) {
    case Action::backup: return run_backup_action(session);
    case Action::restore: return run_restore_action(session);
    case Action::validate: return run_validate_action(session);
    case Action::salvage: return run_salvage_action(session);
    default: return fail(ErrorCode::usage, "this action is not built yet", "\"tintype help\" lists those that are");
  }
}

ExitStatus run_session(const ParsedCommand& command) {
  Session session(command);
  return session.end(run_chosen(session));
}

bool typed_slashes(int argc, const char* const* argv) { return argc > 1 && argv[1][0] == '/'; }

}  // namespace

int run_program(int argc, const char* const* argv) {
  std::setlocale(LC_CTYPE, "");
  std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away must not cut off a restore
  const Result<options::Inputs> inputs = options::gather_inputs(argc, argv);
  if (!inputs) return static_cast<int>(report_failure(inputs.error()));
  const Result<ParsedCommand> command = options::parse_command(*inputs);
  if (!command) return static_cast<int>(report_failure(command.error()));
  if (command->action == Action::help || command->action == Action::version)
    return static_cast<int>(run_help_action(*command, typed_slashes(argc, argv)));
  if (command->flag("quit")) return 0;
  return static_cast<int>(run_session(*command));
}

}  // namespace tintype::cli
