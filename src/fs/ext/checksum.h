// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>

#include "base/bytes.h"

namespace tintype::ext {

// The two checksums of ext4, without a final inversion, so that calls chain: pass the former result on.
// Source: Linux kernel documentation, "ext4 Data Structures and Algorithms", section Checksums.
inline constexpr std::uint32_t kCrcStart = 0xFFFFFFFFu;

// CRC-32C (Castagnoli, reflected 0x82F63B78): metadata_csum and jbd2.
std::uint32_t crc32c(std::uint32_t state, ByteSpan bytes);
std::uint32_t crc32c_le32(std::uint32_t state, std::uint32_t value);  // over the number's four bytes

// CRC-16 (reflected 0xA001): group descriptors under uninit_bg / gdt_csum. Starts from 0xFFFF.
std::uint16_t crc16(std::uint16_t state, ByteSpan bytes);

}  // namespace tintype::ext
