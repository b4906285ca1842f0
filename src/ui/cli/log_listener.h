// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <string>

#include "base/environment.h"
#include "base/result.h"
#include "ui/cli/listener.h"

namespace tintype::cli {

// Appends the lines of LogText to a file. It belongs to its owner alone (0600); its folder must exist.
Result<std::unique_ptr<Listener>> make_log_listener(const std::string& path, Clock& clock);

// The system log (FEATURES G11): 0 nothing, 1 errors, 2 also warnings, 3 also start and end, 4 everything.
std::unique_ptr<Listener> make_syslog_listener(unsigned level);

}  // namespace tintype::cli
