// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <vector>

#include "plan/restore_plan.h"
#include "ui/cli/listener.h"
#include "ui/cli/open_image.h"
#include "ui/cli/restore_target.h"
#include "ui/cli/session.h"

namespace tintype::cli {

// What restore and copy do with a plan before and after it is carried out.

// The plan; a target that is too small is refused, whatever the planner's word for it.
Result<RestorePlan> make_plan(const SourceView& source, const RestoreTarget& target, const RestoreOptions& options, Random& random);

// For --dry-run.
Report describe_plan(const RestorePlan& plan, const RestoreTarget& target);

// Error{refused} if something would be destroyed and nobody agrees to it.
Result<void> ask_to_overwrite(const RestorePlan& plan, const RestoreTarget& target, Session& session);

// Makes the system read the new table (FEATURES R16).
void tell_system(Drive& target, const RestorePlan& plan, Session& session);

// What is left of a file that was made for an operation which failed is no use to anybody: deletes it, and says so in the error.
Error without_file(Error error, const RestoreTarget& target);

// The files of an image and of those it builds on, as far as they can be found.
std::vector<std::string> files_of(OpenedImage& image);

}  // namespace tintype::cli
