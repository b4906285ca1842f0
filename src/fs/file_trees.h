// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "fs/file_tree.h"

// The kinds behind open_file_tree(). Private to the room.
namespace tintype {

}  // namespace tintype
