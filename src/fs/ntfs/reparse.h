// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <string>

#include "base/bytes.h"

namespace tintype::ntfs {

// Tags of reparse points. Source: [MS-FSCC] 2.1.2.1 and, for those of the Windows Subsystem for Linux, winnt.h.
enum ReparseTag : std::uint32_t {
  kMountPointTag = 0xa0000003,
  kSymlinkTag = 0xa000000c,
  kDedupTag = 0x80000013,
  kWofTag = 0x80000017,
  kLinuxSymlinkTag = 0xa000001d,
  kLinuxSocketTag = 0x80000023,
  kLinuxFifoTag = 0x80000024,
  kLinuxCharacterTag = 0x80000025,
  kLinuxBlockTag = 0x80000026,
};

// The tag of a $REPARSE_POINT's value, 0 if it is too short for one.
std::uint32_t reparse_tag(ByteSpan value);
// Where a symbolic link or a junction leads: the name that Windows shows, or, if there is none, the one that it follows without its
// "\??\". Empty for other tags and malformed values.
std::optional<std::string> reparse_target(ByteSpan value);
// A symbolic link as Interix (and ntfs-3g by default) writes it into a file's data; `data` may be its beginning only, then what
// is there of the target is given. Empty if it is none.
std::optional<std::string> interix_target(ByteSpan data);

// What is known to keep a file's content elsewhere than in its data: "Windows' system compression (WOF)". Null if nothing is.
const char* content_elsewhere(std::uint32_t tag, std::uint32_t dos_attributes);

}  // namespace tintype::ntfs
