// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "fs/ntfs/mft.h"

namespace tintype::ntfs {

// UTF-16 as stored to UTF-8, nothing lost: a lone surrogate becomes three bytes (as WTF-8 has it), zero units stay. And back; empty
// if the text cannot have come from UTF-16.
std::string text_of_utf16(ByteSpan utf16);
std::optional<std::u16string> utf16_of_text(std::string_view text);

// How this volume folds case: $UpCase, one unit for each of the 65,536. Immutable once made.
class UpCase {
 public:
  // The volume's table; if it is missing, too short or says absurd things of ASCII, one that folds ASCII only.
  static UpCase load(const Mft& mft);
  bool same(std::string_view a, std::string_view b) const;
  // As names are compared where folders are ordered by them. The second: empty if it cannot have come from UTF-16.
  std::u16string folded(ByteSpan utf16) const;
  std::optional<std::u16string> folded(std::string_view text) const;

 private:
  char16_t fold(char16_t unit) const;
  std::vector<char16_t> table_;
};

enum NameSpace : std::uint8_t { kPosixName = 0, kWin32Name = 1, kDosName = 2, kWin32AndDosName = 3 };

// The value of a $FILE_NAME, which is the key of a folder's index too. Source: ntfs-3g's layout.h (FILE_NAME_ATTR). The sizes and times
// in it may be out of date.
struct FileName {
  FileReference parent;
  std::int64_t created = 0, modified = 0, changed = 0, accessed = 0;  // 100 ns since 1601
  std::uint64_t allocated_bytes = 0;
  std::uint64_t data_bytes = 0;
  std::uint32_t attributes = 0;
  std::uint8_t name_space = kPosixName;
  ByteSpan name;  // UTF-16, points into what was parsed
  bool says_folder() const { return attributes & 0x10000000; }
};
// Empty if it is malformed.
std::optional<FileName> parse_file_name(ByteSpan value);

// Nanoseconds since 1970; empty if it does not fit them.
std::optional<std::int64_t> unix_time(std::int64_t ntfs_time);

}  // namespace tintype::ntfs
