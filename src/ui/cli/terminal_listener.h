// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>

#include "ui/cli/listener.h"
#include "ui/cli/screen.h"

namespace tintype::cli {

// What a person sees: on a terminal a line that is redrawn, elsewhere a plain line every tenth of the way or half
// minute; warnings and errors on standard error; the result on standard output. `quiet`: no progress, no result.
std::unique_ptr<Listener> make_terminal_listener(Screen& screen, bool quiet);

}  // namespace tintype::cli
