// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "naming/machine.h"
#include "options/command.h"

namespace tintype::cli {

// What --virtual-drive (/vN) says, read from left to right: a later definition of a number replaces an earlier one, and one of 0
// without a file forgets all.
VirtualDrives defined_drives(const options::ParsedCommand& command);

}  // namespace tintype::cli
