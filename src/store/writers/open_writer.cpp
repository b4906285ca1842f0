// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "store/writers/tree_writer.h"

namespace tintype {
namespace {

const char* way_to_mend(FsType type) {
  switch (type) {
    case FsType::ntfs: return "have Windows check it (chkdsk /f), or run ntfsfix -d on it if no Windows is at hand";
    case FsType::ext2:
    case FsType::ext3:
    case FsType::ext4: return "run e2fsck -f on it";
    default: return "run fsck.fat -a on it, or have Windows check it (chkdsk /f)";
  }
}

}  // namespace

std::vector<std::string> names_in_path(const std::string& path) {
  std::vector<std::string> names;
  for (std::size_t from = 0; from < path.size();) {
    const std::size_t to = std::min(path.find('/', from), path.size());
    if (to > from) names.push_back(path.substr(from, to - from));
    from = to + 1;
  }
  return names;
}

Result<std::unique_ptr<TreeWriter>> open_tree_writer(std::shared_ptr<Drive> partition, const std::string& words) {
  const FsInfo info = TRY(open_file_system(partition))->info();
  if (info.state == FsState::hibernated)
    return fail(ErrorCode::refused, fmt::format("the {} on {} belongs to a system that is hibernated", to_string(info.type), printable(words)),
                "start that system and shut it down fully (Windows: shutdown /s /t 0)");
  if (info.state == FsState::dirty)
    return fail(ErrorCode::refused, fmt::format("the {} on {} was not left clean and is not written to", to_string(info.type), printable(words)), way_to_mend(info.type));
  const bool fat = info.type == FsType::fat12 || info.type == FsType::fat16 || info.type == FsType::fat32;
  if (!info.warning.empty() && (fat || info.type == FsType::ntfs || info.type == FsType::ext2 || info.type == FsType::ext3 || info.type == FsType::ext4))
    return fail(ErrorCode::refused, fmt::format("the {} on {} is not written to: {}", to_string(info.type), printable(words), printable(info.warning)),
                way_to_mend(info.type));
  switch (info.type) {
    case FsType::ntfs: return open_ntfs_writer(std::move(partition), words);
    case FsType::ext2:
    case FsType::ext3:
    case FsType::ext4: return open_ext_writer(std::move(partition), words);
    case FsType::fat12:
    case FsType::fat16:
    case FsType::fat32: return open_fat_writer(std::move(partition), words);
    default: break;
  }
  return fail(ErrorCode::unsupported, fmt::format("{} holds {}, and images are written only into NTFS, FAT and ext file systems that are not mounted", printable(words),
                                                  info.type == FsType::unknown ? "nothing that is recognised" : to_string(info.type)),
              "mount it and give the path of the file");
}

}  // namespace tintype
