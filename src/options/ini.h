// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "options/command.h"

namespace tintype::options {

struct IniLine {
  std::string section;  // lower case
  std::string key;      // as written
  std::string value;    // without surrounding blanks and quotes
  std::size_t line = 0;  // from 1
};

// "[section]", "key=value", ';' or '#' at the start of a line for comments; byte order mark and CRLF are fine.
// Everything else is an Error{usage} "file:line: …".
Result<std::vector<IniLine>> read_ini(const std::string& path, std::string_view text);

struct IniSettings {
  std::vector<Setting> settings;
  std::vector<std::string> notes;
};

// What a file says to an action. `menus`: all of it; else only global options, without those whose value is
// for menus. Every line is checked, also those that do not count now.
Result<IniSettings> settings_from_ini(const std::string& path, std::string_view text, Action action, bool menus);

}  // namespace tintype::options
