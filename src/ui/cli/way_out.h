// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "ui/cli/listener.h"
#include "ui/cli/session.h"

namespace tintype::cli {

// Adds to the failure of an action that reads an image, if the image is damaged and nothing else is advised, what brings it back: repair where
// a recovery file lies beside it, else salvage.
Result<Report> with_way_out(Session& session, Result<Report> result);

}  // namespace tintype::cli
