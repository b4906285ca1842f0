// SPDX-License-Identifier: GPL-3.0-or-later
#include "naming/suggest_name.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/local_time.h"

namespace tintype {
namespace {

// Names of files are bytes; what would be a nuisance in a name of ours becomes '_'.
std::string word_for(const std::string& path) {
  std::string stem = std::filesystem::path(path).stem().string().substr(0, 100);
  for (char& c : stem)
    if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || c == '$' || c == '\\' || c == ':' || c == '@') c = '_';
  return stem.empty() ? "drive" : stem;
}

}  // namespace

std::string partition_word(std::uint32_t id) { return id <= 128 ? fmt::format("{}", id) : fmt::format("{:#x}", id); }

std::string suggest_image_name(const SuggestedName& what, const std::function<bool(const std::string&)>& taken) {
  const CivilTime at = civil_time(what.moment);
  std::string name = what.drive_number ? fmt::format("w{}", *what.drive_number) : word_for(what.drive_path);
  if (what.partition) name += "-" + partition_word(*what.partition);
  if (what.changes_only) name += "-chg";
  name += fmt::format("-{:04}-{:02}-{:02}-{:02}{:02}", at.year, at.month, at.day, at.hour, at.minute);
  if (!taken(name)) return name;
  for (unsigned number = 2;; ++number) {
    std::string other = fmt::format("{}-{}", name, number);
    if (!taken(other)) return other;
  }
}

}  // namespace tintype
