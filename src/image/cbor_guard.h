// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "base/bytes.h"

namespace tintype {

// True if the CBOR item (RFC 8949) is nested at most `max_depth` deep, has at most `max_items` items in all and uses definite
// lengths only, as our writer does. The JSON library parses by recursion and takes up to a hundred bytes of memory for
// one of CBOR; this keeps a hostile image from exhausting the stack and the memory.
bool cbor_is_modest(ByteSpan cbor, unsigned max_depth, std::uint64_t max_items);

}  // namespace tintype
