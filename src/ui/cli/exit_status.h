// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "base/error.h"

namespace tintype::cli {

// What the program tells its caller. The numbers are documented (docs/exit-status.md) and never change meaning.
enum class ExitStatus : int {
  success = 0,
  failed = 1,       // an error that is none of the others: reading, writing, no room, nothing of that name …
  usage = 2,        // the command itself makes no sense; nothing was touched
  refused = 3,      // refused to protect data, a wrong password, a "no", or cancelled
  damaged = 4,      // the image is damaged or incomplete, or a comparison found a difference
  bad_sectors = 5,  // done, but some sectors could not be read or written, or parts of an image not salvaged
};

const char* to_string(ExitStatus status);
ExitStatus status_of(const Error& error);

}  // namespace tintype::cli
