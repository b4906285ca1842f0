// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "fs/ntfs/record.h"

namespace tintype::ntfs {

inline constexpr std::size_t kMaxAttributeListBytes = 256 * 1024;  // the limit Windows keeps

// What $ATTRIBUTE_LIST says of one piece of an attribute: where it is. Source: ntfs-3g's layout.h (ATTR_LIST_ENTRY).
struct ListEntry {
  std::uint32_t type = 0;
  ByteSpan name;  // UTF-16, points into the list
  std::uint64_t lowest_vcn = 0;
  FileReference record;
  std::uint16_t instance = 0;
};

// Takes the first entry off an attribute list; Error{corrupt} if it is malformed.
Result<ListEntry> take_entry(ByteSpan& list);
// The piece that an entry names, or null.
const Attribute* find_piece(const Record& record, const ListEntry& entry);

}  // namespace tintype::ntfs
