// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "base/bytes.h"
#include "base/result.h"

namespace tintype::ntfs {

// Decompresses one compression unit of an NTFS file; what it does not fill becomes zeros, what does not fit is left out. Every
// chunk stands for 4 KiB. Error{corrupt} if the data is malformed. Source: [MS-XCA] 2.5 "LZNT1 Algorithm Details".
Result<void> unpack_lznt1(ByteSpan packed, MutableByteSpan out);

}  // namespace tintype::ntfs
