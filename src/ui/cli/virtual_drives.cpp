// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/virtual_drives.h"

#include "base/text.h"
#include "options/value.h"

namespace tintype::cli {

VirtualDrives defined_drives(const options::ParsedCommand& command) {
  VirtualDrives out;
  for (const options::Setting& setting : command.settings) {
    if (setting.option->kind != options::Kind::virtual_drive) continue;
    const std::string& text = setting.value.text;
    if (text.empty()) {
      out.clear();
      continue;
    }
    VirtualDrive drive{.path = text};
    // "file,C|R,type,size", checked when it was parsed.
    const std::vector<std::string> fields = options::split_fields(text, ',');
    if (fields.size() == 4) {
      drive.path = fields[0];
      drive.creation = VirtualDrive::Creation{.anew = fields[1] == "R" || fields[1] == "r",
                                              .format = drive_format(fields[2]).value_or(DriveFormat::raw),
                                              .size_bytes = parse_size(fields[3], 1U << 20).value_or(0)};
    }
    out.insert_or_assign(static_cast<std::uint32_t>(setting.value.number), std::move(drive));
  }
  return out;
}

}  // namespace tintype::cli
