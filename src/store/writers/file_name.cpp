// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/writers/file_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "fs/wide_name.h"

namespace tintype {
namespace {

constexpr std::size_t kMostUnits = 255;  // bytes on ext, UTF-16 units on NTFS and FAT

// The part before the first '.' is what counts; spaces behind it do not.
bool is_device(const std::string& name) {
  std::string stem = name.substr(0, name.find('.'));
  while (stem.ends_with(' ')) stem.pop_back();
  for (char& c : stem)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  constexpr std::array<std::string_view, 6> kAlone = {"con", "prn", "aux", "nul", "conin$", "conout$"};
  if (std::ranges::find(kAlone, stem) != kAlone.end()) return true;
  if (!stem.starts_with("com") && !stem.starts_with("lpt")) return false;
  const std::string number = stem.substr(3);
  return (number.size() == 1 && number[0] >= '0' && number[0] <= '9') || number == "¹" || number == "²" || number == "³";
}

}  // namespace

Result<void> check_file_name(FsType type, const std::string& name, std::size_t room_bytes) {
  const auto refused = [&](const char* why) { return fail(ErrorCode::usage, fmt::format("{} takes no file of the name '{}': {}", to_string(type), printable(name), why), "choose another name"); };
  const bool windows = type == FsType::ntfs || type == FsType::fat12 || type == FsType::fat16 || type == FsType::fat32;
  if (name.empty() || name == "." || name == "..") return refused("it is none");
  const std::u16string wide = windows ? utf16_of_name(name) : std::u16string();
  const std::size_t units = windows ? wide.size() : name.size();
  if (units + room_bytes > kMostUnits) return refused("it is too long, or becomes so while it is written");
  if (!windows) return {};
  if (name_of_utf16(wide) != name) return refused("it is no UTF-8");
  if (std::ranges::any_of(wide, [](char16_t c) { return c < 0x20 || std::u16string_view(u"\"*/:<>?\\|").find(c) != std::u16string_view::npos; }))
    return refused("Windows allows none of \" * / : < > ? \\ | in it");
  if (name.ends_with(' ') || name.ends_with('.')) return refused("Windows drops a space or '.' at its end");
  if (is_device(name)) return refused("to Windows it is a device");
  return {};
}

}  // namespace tintype
