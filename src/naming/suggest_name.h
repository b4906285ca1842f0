// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace tintype {

// What a suggested name tells of an image that is to be made.
struct SuggestedName {
  std::optional<unsigned> drive_number;     // as `list` shows it
  std::string drive_path;                   // of a drive without a number: its file name stands for it
  std::optional<std::uint32_t> partition;   // if the image is to hold this one only
  bool changes_only = false;
  std::chrono::local_seconds moment{};
};

// "w0-2026-11-23-1405", "w0-1-chg-2026-11-23-1405", "disk-0x301-2026-11-23-1405": w and the number of a drive of this machine, or
// the file name of another, the partition's id, "chg", date and time. While `taken` says that the name (without an extension)
// is in use, -2, -3 … is put behind it.
std::string suggest_image_name(const SuggestedName& what, const std::function<bool(const std::string&)>& taken);

// "1", "0x301": a partition's id as it is typed after '@', and as it stands in names of files.
std::string partition_word(std::uint32_t id);

}  // namespace tintype
