// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "naming/machine.h"
#include "options/command.h"

namespace tintype::cli {

// What --virtual-drive (/v0:file …) says, read from left to right: later ones replace earlier ones, and an empty one forgets all. Error{usage} if
// a number that was named as a drive is defined, or forgotten, only after that.
Result<VirtualDrives> defined_drives(const options::ParsedCommand& command);

// Error{usage} if the name says another type than its definition. A name that says nothing is fine: the definition does.
Result<void> check_defined_name(const std::string& path, DriveFormat format);

// Makes the file if its definition says how and it is not there; one that is there stays, for nothing is destroyed to be looked at.
Result<void> make_missing(const VirtualDrive& drive);

}  // namespace tintype::cli
