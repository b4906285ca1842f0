// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "base/bytes.h"

namespace tintype {

// True if the CBOR item (RFC 8949) is nested at most `max_depth` deep and uses definite lengths only, as our writer
// does. The JSON library parses by recursion; this keeps a hostile image from exhausting the stack.
bool cbor_is_shallow(ByteSpan cbor, unsigned max_depth);

}  // namespace tintype
