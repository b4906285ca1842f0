// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>

#include "layout/mbr.h"

namespace tintype {

// The GUID partition table: a header and an entry array, twice. Private to the room.
// Source: UEFI specification 2.10, 5.3.2 "GPT Header" and 5.3.3 "GPT Partition Entry Array".
inline constexpr std::uint64_t kGptSignature = 0x5452415020494645;  // "EFI PART"
inline constexpr std::uint32_t kGptRevision = 0x00010000;
inline constexpr std::uint32_t kGptHeaderBytes = 92;
inline constexpr std::uint32_t kGptMinEntryBytes = 128;
inline constexpr std::uint32_t kGptMaxEntryBytes = 4096;
inline constexpr std::uint64_t kGptMaxArrayBytes = 4 * 1024 * 1024;  // ours; 16 KiB is what everybody writes
inline constexpr std::uint64_t kGptLegacyBootable = 1U << 2;         // attribute bit 2

// Offsets in the header.
namespace gpt_header {
inline constexpr std::size_t kRevision = 8, kHeaderBytes = 12, kHeaderCrc = 16, kMySector = 24, kAlternateSector = 32,
                             kFirstUsable = 40, kLastUsable = 48, kDiskGuid = 56, kEntriesSector = 72,
                             kEntryCount = 80, kEntryBytes = 84, kEntriesCrc = 88;
}
// Offsets in an entry.
namespace gpt_entry {
inline constexpr std::size_t kType = 0, kGuid = 16, kFirst = 32, kLast = 40, kAttributes = 48, kName = 56,
                             kNameBytes = 72;
}

Guid load_guid(ByteSpan bytes, std::size_t at);
void store_guid(MutableByteSpan bytes, std::size_t at, const Guid& guid);

// Sectors that an entry array takes.
std::uint64_t gpt_array_sectors(const GptFacts& facts, std::uint32_t sector_bytes);

class TableReader;
// Reads the GPT behind a protective or hybrid MBR into the reader's layout. False if neither copy is sound; the
// problems then say why.
bool read_gpt(TableReader& reader, const MbrEntries& entries);

}  // namespace tintype
