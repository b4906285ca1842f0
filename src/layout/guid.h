// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "base/environment.h"
#include "base/text.h"

namespace tintype {

// A version 4 GUID (RFC 9562). Private to the room.
Result<Guid> random_guid(Random& random);

}  // namespace tintype
