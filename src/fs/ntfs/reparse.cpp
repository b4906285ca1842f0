// SPDX-License-Identifier: GPL-3.0-or-later
// Source: [MS-FSCC] 2.1.2.4 "Symbolic Link Reparse Data Buffer" and 2.1.2.5 "Mount Point Reparse Data Buffer".
#include "fs/ntfs/reparse.h"

#include "fs/ntfs/names.h"

namespace tintype::ntfs {
namespace {

constexpr std::size_t kHeader = 8;
constexpr std::string_view kInterixMagic{"IntxLNK\1", 8};
constexpr std::uint32_t kRecallOnOpen = 0x00040000;
constexpr std::uint32_t kRecallOnDataAccess = 0x00400000;
constexpr std::uint32_t kOffline = 0x00001000;

// The name at a place in the path buffer.
std::optional<std::string> name_at(ByteSpan data, std::size_t place, std::size_t buffer) {
  const std::size_t at = buffer + le16(data, place);
  const std::size_t length = le16(data, place + 2);
  if (!fits(at, length, data.size())) return std::nullopt;
  return text_of_utf16(data.subspan(at, length));
}

bool is_cloud(std::uint32_t tag) { return (tag & 0xffff0fff) == 0x9000001a; }

}  // namespace

std::uint32_t reparse_tag(ByteSpan value) { return value.size() < kHeader ? 0 : le32(value, 0); }

std::optional<std::string> reparse_target(ByteSpan value) {
  const std::uint32_t tag = reparse_tag(value);
  if (tag == 0 || le16(value, 4) > value.size() - kHeader) return std::nullopt;
  const ByteSpan data = value.subspan(kHeader, le16(value, 4));
  if (tag == kLinuxSymlinkTag) {
    if (data.size() < 4) return std::nullopt;
    return std::string(as_text(data.subspan(4)));
  }
  if (tag != kSymlinkTag && tag != kMountPointTag) return std::nullopt;
  const std::size_t buffer = tag == kSymlinkTag ? 12 : 8;
  if (data.size() < buffer) return std::nullopt;
  auto shown = name_at(data, 4, buffer);
  if (shown && !shown->empty()) return shown;
  auto followed = name_at(data, 0, buffer);
  if (followed && followed->starts_with("\\??\\")) followed->erase(0, 4);
  return followed;
}

std::optional<std::string> interix_target(ByteSpan data) {
  if (data.size() <= kInterixMagic.size() || !as_text(data).starts_with(kInterixMagic)) return std::nullopt;
  return text_of_utf16(data.subspan(kInterixMagic.size()));
}

const char* content_elsewhere(std::uint32_t tag, std::uint32_t dos_attributes) {
  if (tag == kWofTag) return "compressed by Windows' system compression (WOF)";
  if (tag == kDedupTag) return "deduplicated by Windows Server";
  if (is_cloud(tag) && (dos_attributes & (kOffline | kRecallOnOpen | kRecallOnDataAccess))) return "kept in the cloud, not on this drive";
  return nullptr;
}

}  // namespace tintype::ntfs
