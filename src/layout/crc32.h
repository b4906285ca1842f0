// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>

#include "base/bytes.h"

namespace tintype {

// CRC-32 as GPT uses it (UEFI 2.10, 5.3.2: polynomial of ISO 3309, reflected 0xEDB88320, all-ones start and finish).
std::uint32_t crc32(ByteSpan bytes);

}  // namespace tintype
