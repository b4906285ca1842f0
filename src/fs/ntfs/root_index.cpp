// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/ntfs/root_index.h"

#include "fs/ntfs/folder_index.h"

namespace tintype::ntfs {
namespace {

constexpr std::size_t kMaxFound = 64;

}  // namespace

Result<std::vector<DirectoryEntry>> find_names(const Mft& mft, const File& directory,
                                               const std::vector<std::string_view>& wanted) {
  std::vector<DirectoryEntry> found;
  bool too_many = false;
  TRY(for_each_name(mft, directory, [&](FileReference file, const FileName& name) {
    for (const std::string_view want : wanted) {
      if (!name_is(name.name, want, true)) continue;
      too_many = too_many || found.size() == kMaxFound;
      if (!too_many) found.push_back({file, Bytes(name.name.begin(), name.name.end())});
    }
    return !too_many;
  }));
  if (too_many) return fail(ErrorCode::corrupt, "a directory index names a file too often");
  return found;
}

}  // namespace tintype::ntfs
