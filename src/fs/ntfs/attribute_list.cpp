// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/ntfs/attribute_list.h"

#include <algorithm>

namespace tintype::ntfs {

Result<ListEntry> take_entry(ByteSpan& list) {
  constexpr std::size_t kHeader = 26;
  const std::size_t length = list.size() >= kHeader ? le16(list, 4) : 0;
  if (length < kHeader || length > list.size())
    return fail(ErrorCode::corrupt, "an attribute list is malformed");
  ListEntry entry{le32(list, 0), {}, le64(list, 8), load_reference(list, 16), le16(list, 24)};
  const std::size_t name_bytes = std::size_t{2} * u8(list, 6);
  if (name_bytes > 0) {
    if (!fits(u8(list, 7), name_bytes, length)) return fail(ErrorCode::corrupt, "an attribute list is malformed");
    entry.name = list.subspan(u8(list, 7), name_bytes);
  }
  list = list.subspan(length);
  return entry;
}

const Attribute* find_piece(const Record& record, const ListEntry& entry) {
  for (const Attribute& a : record.attributes)
    if (a.type == entry.type && a.instance == entry.instance && std::ranges::equal(a.name, entry.name) &&
        (a.resident ? 0 : a.lowest_vcn) == entry.lowest_vcn)
      return &a;
  return nullptr;
}

}  // namespace tintype::ntfs
