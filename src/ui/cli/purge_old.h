// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "ui/cli/listener.h"
#include "ui/cli/session.h"

namespace tintype::cli {

// --purge of a backup that succeeded: deletes what has become too old in the folder of the new image or images, and adds what
// it did to their report. The images are complete whatever happens here; a failure to delete makes the status `failed`.
void purge_old_images(Session& session, Report& report);

}  // namespace tintype::cli
