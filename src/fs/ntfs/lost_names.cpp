// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/ntfs/lost_names.h"

#include "fs/ntfs/folder_index.h"
#include "fs/ntfs/mft_walk.h"

namespace tintype::ntfs {

std::map<std::uint64_t, LostName> names_in_folders(const Mft& mft, const std::set<std::uint64_t>& records, Paths& paths) {
  std::map<std::uint64_t, LostName> out;
  if (records.empty()) return out;
  walk_records(mft, [&](std::uint64_t number, const Record* record) {
    if (!record || !(record->flags & kDirectory) || record->base != FileReference{} || out.size() == records.size()) return;
    const FileReference self{number, record->sequence};
    const auto folder = mft.load_file(number, record->sequence, is_index_part);
    if (!folder) return;
    // What is damaged of an index is passed over: names before and behind it count all the same.
    (void)for_each_name(mft, *folder, [&](FileReference file, const FileName& name) {
      if (name.name_space == kDosName || !records.contains(file.record) || out.contains(file.record)) return true;
      const std::string parent = number == kRootRecord ? std::string() : paths.folder_path(self);
      out[file.record] = {parent + "/" + text_of_utf16(name.name), name.says_folder()};
      return true;
    }).has_value();
  });
  return out;
}

}  // namespace tintype::ntfs
