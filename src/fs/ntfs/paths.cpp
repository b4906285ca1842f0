// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/ntfs/paths.h"

#include <fmt/format.h>

namespace tintype::ntfs {
namespace {

constexpr std::size_t kMaxDepth = 256;
constexpr std::size_t kMaxPathBytes = 3 * 32768;  // Windows ends at 32,767 units
constexpr std::size_t kMaxRemembered = 1024 * 1024;
constexpr const char* kLost = "/?";

}  // namespace

Paths::Named Paths::name_of(FileReference file) const {
  Named out;
  bool wanted_more = true;
  const auto wanted = [&](std::uint32_t type, ByteSpan name) { return wanted_more && type == kFileName && name.empty(); };
  const auto visited = mft_.visit_heads(file.record, file.sequence, wanted, [&](const Head& head, const Attribute& a) {
    out.exists = true;
    out.folder = head.flags & kDirectory;
    const auto name = parse_file_name(a.value);
    if (!name || name->name.empty() || !wanted_more) return;
    out.name = text_of_utf16(name->name);
    out.parent = name->parent;
    wanted_more = name->name_space == kDosName;
  });
  if (visited) {
    out.exists = true;
    out.folder = visited->flags & kDirectory;
  }
  return out;
}

std::string Paths::folder_path(FileReference folder) {
  std::vector<std::string> names;  // from the deepest up
  std::string begin = kLost;
  FileReference at = folder;
  for (std::size_t depth = 0; depth < kMaxDepth; ++depth) {
    if (at.record == kRootRecord) {
      begin.clear();
      break;
    }
    if (const auto known = folders_.find(at.record); known != folders_.end() && known->second.first == at.sequence) {
      begin = known->second.second;
      break;
    }
    Named named = name_of(at);
    if (!named.exists || !named.folder || named.name.empty()) break;
    names.push_back(std::move(named.name));
    at = named.parent;
  }
  for (; !names.empty(); names.pop_back())
    if (begin.size() + names.back().size() < kMaxPathBytes) begin += "/" + names.back();
    else begin = kLost;
  if (remembered_bytes_ + begin.size() > kMaxRemembered) {
    folders_.clear();
    remembered_bytes_ = 0;
  }
  if (folders_.insert_or_assign(folder.record, std::pair(folder.sequence, begin)).second) remembered_bytes_ += begin.size() + 64;
  return begin;
}

Paths::Found Paths::find(FileReference file) {
  if (file.record == kRootRecord) return {"/", true, true};
  const Named named = name_of(file);
  Found out{{}, named.folder, named.exists};
  out.path = named.name.empty() ? fmt::format("{}/record {}", kLost, file.record) : folder_path(named.parent) + "/" + named.name;
  return out;
}

}  // namespace tintype::ntfs
