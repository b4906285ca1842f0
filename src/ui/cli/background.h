// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace tintype::cli {

// Told by what runs in the background, once, when it works; the lines are for whoever started it.
using Ready = std::function<void(const std::vector<std::string>&)>;

// Runs `work` in a child process that outlives this one, in a session of its own, away from the terminal. Returns what it told when it
// was ready, or the error with which it ended before. Nothing that threads of this process do comes along: `work` starts its own.
Result<std::vector<std::string>> run_in_background(const std::function<Result<void>(const Ready&)>& work);

// In the child: somebody sent it a signal to end. Never waits.
bool told_to_end();

}  // namespace tintype::cli
