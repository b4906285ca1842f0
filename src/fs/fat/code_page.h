// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>

#include "base/bytes.h"

namespace tintype::fat {

// A short name or label as UTF-8. Nothing on the volume records the code page it was written in: what is valid UTF-8 is
// taken as it is, the rest as code page 850, which agrees with 437 on most letters. NUL ends it; trailing blanks go.
std::string decode_short_name(ByteSpan name);

}  // namespace tintype::fat
