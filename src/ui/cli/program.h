// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace tintype::cli {

// The whole program; what main() returns.
int run_program(int argc, const char* const* argv);

}  // namespace tintype::cli
