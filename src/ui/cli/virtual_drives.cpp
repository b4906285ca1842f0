// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/virtual_drives.h"

#include <fmt/format.h>

#include <set>

#include "base/text.h"
#include "naming/drive_name.h"
#include "options/value.h"

namespace tintype::cli {
namespace {

// The text was checked when it was parsed.
VirtualDrive meant_by(const std::string& text) {
  const options::VirtualDriveText parts = options::split_virtual_drive(text);
  VirtualDrive drive{.path = parts.file};
  if (parts.creation)
    drive.creation = VirtualDrive::Creation{.anew = parts.creation->anew(),
                                            .format = drive_format(parts.creation->type).value_or(DriveFormat::raw),
                                            .size_bytes = parse_size(parts.creation->size, 1U << 20).value_or(0)};
  return drive;
}

Result<void> check_order(const std::set<std::uint32_t>& named, std::uint32_t number, const options::Setting& setting, const char* done) {
  if (!named.contains(number)) return {};
  return fail(ErrorCode::usage, fmt::format("{}: v{} is {} after it was named", setting.origin.where, number, done), "the command is read from left to right: define it first");
}

}  // namespace

Result<VirtualDrives> defined_drives(const options::ParsedCommand& command) {
  VirtualDrives out;
  std::set<std::uint32_t> named;
  for (const options::Setting& setting : command.settings) {
    if (setting.option->kind == options::Kind::drive) {
      for (const std::string& word : options::split_drives(setting.value.text))
        if (const Result<DriveName> name = parse_drive_name(word); name && name->kind == DriveName::Kind::virtual_drive) named.insert(name->number);
    }
    if (setting.option->kind != options::Kind::virtual_drive) continue;
    if (setting.value.text.empty()) {
      for (const auto& [number, drive] : out) TRY(check_order(named, number, setting, "forgotten"));
      out.clear();
      continue;
    }
    const auto number = static_cast<std::uint32_t>(setting.value.number);
    TRY(check_order(named, number, setting, "defined"));
    out.insert_or_assign(number, meant_by(setting.value.text));
  }
  return out;
}

Result<void> check_defined_name(const std::string& path, DriveFormat format) {
  if (format != DriveFormat::raw && !format_of_name(path) && !name_says_raw(path)) return {};
  return check_new_name(path, format);
}

Result<void> make_missing(const VirtualDrive& drive) {
  if (!drive.creation || file_exists(drive.path)) return {};
  TRY(check_defined_name(drive.path, drive.creation->format));
  TRY(create_drive_file(drive.path, drive.creation->size_bytes, drive.creation->format));
  return {};
}

}  // namespace tintype::cli
