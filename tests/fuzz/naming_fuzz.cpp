// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "naming/drive_name.h"
#include "naming/image_name.h"

// The first byte decides whether files "exist"; the rest is the name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tintype;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const unsigned mask = data[0];
  const FileExists exists = [mask](const std::string& path) { return (mask >> (path.size() % 8) & 1U) != 0; };
  const auto drive = parse_drive_name(text, exists);
  if (drive) {
    if (drive->partitions.size() > 128) __builtin_trap();
    if (drive->kind == DriveName::Kind::path && (drive->word.empty() || drive->word.find('\0') != std::string::npos)) __builtin_trap();
    if (drive->kind == DriveName::Kind::signature && drive->signature == 0) __builtin_trap();
  } else if (drive.error().what.empty() || drive.error().code != ErrorCode::usage) {
    __builtin_trap();
  }
  const auto image = parse_image_name(text, exists);
  if (!image && image.error().code != ErrorCode::usage) __builtin_trap();
  if (image && image->path.empty()) __builtin_trap();
  if (image && image->kind == ImageName::Kind::partition && (!image->drive || image->drive->partitions.size() != 1)) __builtin_trap();
  return 0;
}
