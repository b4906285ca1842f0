// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/foreign/image_files.h"

#include <filesystem>

#include "drive/composite_drive.h"
#include "drive/open.h"

namespace tintype {
namespace {

constexpr std::size_t kMaxParts = 4096;  // 16 TB in Clonezilla's parts of 4 GB

bool is_file(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error);
}

// "aa" → "ab", "az" → "ba"; false after "zz".
bool advance(std::string& suffix) {
  for (std::size_t i = suffix.size(); i-- > 0;) {
    if (suffix[i] != 'z') {
      ++suffix[i];
      return true;
    }
    suffix[i] = 'a';
  }
  return false;
}

}  // namespace

Result<std::shared_ptr<Drive>> open_split_file(const std::string& path) {
  std::string stem, suffix;
  for (const std::string first : {"aa", "aaa"}) {
    const bool named = path.ends_with("." + first), meant = !is_file(path) && is_file(path + "." + first);
    if (!named && !meant) continue;
    stem = named ? path.substr(0, path.size() - first.size()) : path + ".";
    suffix = first;
    break;
  }
  if (stem.empty()) return open_drive(path);
  DriveInfo info;
  info.path = path;
  std::vector<CompositePiece> pieces;
  do {
    const std::string part = stem + suffix;
    if (!is_file(part) || pieces.size() == kMaxParts) break;
    const std::shared_ptr<Drive> drive = TRY(open_drive(part));
    pieces.push_back({{info.size_bytes, drive->size_bytes()}, drive, 0});
    info.size_bytes += drive->size_bytes();
  } while (advance(suffix));
  if (pieces.empty()) return open_drive(path);
  return make_composite(std::move(info), std::move(pieces));
}

}  // namespace tintype
