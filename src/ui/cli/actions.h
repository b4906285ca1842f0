// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "base/result.h"
#include "ui/cli/listener.h"
#include "ui/cli/session.h"

namespace tintype::cli {

// One function for each action, each in a file of its own. They return how the action ended, or why it could not
// be done.
Result<Report> run_list_action(Session& session);
Result<Report> run_ls_action(Session& session);
Result<Report> run_extract_action(Session& session);
Result<Report> run_backup_action(Session& session);
Result<Report> run_restore_action(Session& session);
Result<Report> run_validate_action(Session& session);
Result<Report> run_salvage_action(Session& session);
Result<Report> run_purge_action(Session& session);
Result<Report> run_repair_action(Session& session);
Result<Report> run_consolidate_action(Session& session);
Result<Report> run_mount_action(Session& session);
Result<Report> run_unmount_action(Session& session);
Result<Report> run_serve_action(Session& session);
Result<Report> run_boot_action(Session& session);
Result<Report> run_convert_action(Session& session);
Result<Report> run_copy_action(Session& session);
ExitStatus run_help_action(const options::ParsedCommand& command, bool slash);

}  // namespace tintype::cli
