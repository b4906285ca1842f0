// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/program.h"

#include <fmt/format.h>

#include <clocale>
#include <csignal>
#include <filesystem>
#include <string_view>

#include "base/local_time.h"
#include "naming/saved_names.h"
#include "options/parse.h"
#include "ui/cli/actions.h"
#include "ui/cli/version.h"
#include "ui/cli/virtual_drives.h"
#include "ui/cli/way_out.h"

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
  if (command.action == Action::ls) return run_ls_action(session);
  if (!command.flag("dry-run")) TRY(session.begin());
  switch (command.action) {
    case Action::backup: return run_backup_action(session);
    case Action::restore: return run_restore_action(session);
    case Action::validate: return run_validate_action(session);
    case Action::extract: return run_extract_action(session);
    case Action::salvage: return run_salvage_action(session);
    case Action::purge: return run_purge_action(session);
    case Action::repair: return run_repair_action(session);
    case Action::copy: return run_copy_action(session);
    case Action::consolidate: return run_consolidate_action(session);
    case Action::mount: return run_mount_action(session);
    case Action::unmount: return run_unmount_action(session);
    case Action::serve: return run_serve_action(session);
    case Action::boot: return run_boot_action(session);
    case Action::convert: return run_convert_action(session);
    default: return fail(ErrorCode::usage, "this action is not built yet", "\"tintype help\" lists those that are");
  }
}

// What $~YYYY$ and its kin stand for: one moment for the whole run.
options::NameVariables name_variables() {
  return {.moment = to_local(system_clock().now()), .version = kVersion, .saved = []() -> Result<SavedNames> {
            return load_saved_names(TRY(saved_names_path()));
          }};
}

// --save-name: what was done is done, but a later run must not go by an older name without anybody noticing.
Result<Report> remember_name(const ParsedCommand& command, Result<Report> result) {
  const std::optional<std::string> name = command.text("save-name");
  const bool done = result && (result->status == ExitStatus::success || result->status == ExitStatus::bad_sectors);
  if (!name || !done || command.flag("dry-run")) return result;
  for (const Fact& fact : result->facts) {
    if (fact.name != "image") continue;
    const std::string path = std::filesystem::absolute(std::get<std::string>(fact.value)).lexically_normal().string();
    const auto saved = [&]() -> Result<void> { return save_name(TRY(saved_names_path()), *name, path); }();
    if (!saved) return fail(Error(saved.error()).within(fmt::format("{} is complete, but $~{}$ does not stand for it", path, *name)));
  }
  return result;
}

ExitStatus run_session(const ParsedCommand& command) {
  Result<VirtualDrives> drives = defined_drives(command);
  if (!drives) return report_failure(drives.error());
  this_machine().define(std::move(drives).take());
  Session session(command);
  return session.end(with_way_out(session, remember_name(command, run_chosen(session))));
}

bool typed_slashes(int argc, const char* const* argv) { return argc > 1 && argv[1][0] == '/'; }

}  // namespace

int run_program(int argc, const char* const* argv) {
  std::setlocale(LC_CTYPE, "");
  std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away must not cut off a restore
  Result<options::Inputs> inputs = options::gather_inputs(argc, argv);
  if (!inputs) return static_cast<int>(report_failure(inputs.error()));
  inputs->names = name_variables();
  const Result<ParsedCommand> command = options::parse_command(*inputs);
  if (!command) return static_cast<int>(report_failure(command.error()));
  if (command->action == Action::help || command->action == Action::version)
    return static_cast<int>(run_help_action(*command, typed_slashes(argc, argv)));
  if (command->flag("quit")) return 0;
  return static_cast<int>(run_session(*command));
}

}  // namespace tintype::cli
