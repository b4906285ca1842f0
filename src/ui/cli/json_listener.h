// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>

#include "ui/cli/listener.h"
#include "ui/cli/screen.h"

namespace tintype::cli {

// One JSON object a line on standard output for every event; docs/json-events.md is the schema. Standard error
// gets only the sentence of a failure.
std::unique_ptr<Listener> make_json_listener(Screen& screen);
// For `list --json`, which prints one object in all: only a failure is told, as an object with `error`.
std::unique_ptr<Listener> make_json_failure_listener(Screen& screen);

}  // namespace tintype::cli
