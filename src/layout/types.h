// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <optional>

#include "base/text.h"

namespace tintype {

// The GPT type that says the same as an MBR type byte, and the reverse. Types without a counterpart become "basic data"
// and 0x07 if they are Microsoft's, "Linux file system" and 0x83 otherwise; extended partitions have none.
// Sources: UEFI specification 2.10, table 5.7; Microsoft's CREATE_PARTITION_PARAMETERS types; the Discoverable
// Partitions Specification.
std::optional<Guid> guid_for_mbr_type(std::uint8_t type);
std::uint8_t mbr_type_for_guid(const Guid& type);

// 0x05, 0x0F, 0x85
bool is_extended_type(std::uint8_t type);

}  // namespace tintype
