// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "options/command.h"
#include "options/name_variables.h"

namespace tintype::options {

struct IniText {
  std::string path;  // for messages
  std::string text;
};

// Everything that a command is made of. Filled by gather_inputs, or by hand in tests.
struct Inputs {
  std::vector<std::string> arguments;            // without the program's name
  std::optional<std::string> ifw;                // the variable IFW
  std::optional<std::string> tintype;            // the variable TINTYPE, which wins over IFW
  std::optional<std::string> password;           // the variable TINTYPE_PASSWORD
  std::vector<IniText> ini_files;                // strongest first
  bool menus = false;                            // an interactive run: the INI's defaults per action count too
  std::optional<NameVariables> names;            // what $~YYYY$ … stand for in paths; without it they stay as they are
  bool allow_unbuilt = false;                    // for "show command" and tests: take what is not built yet
};

// Reads arguments, environment and INI files: tintype.ini and IFW.INI in the current directory, then
// ~/.config/tintype/tintype.ini, then /etc/tintype.ini. A file that is not there, or in a folder that
// may not be entered, is passed over; one that cannot be read, is no regular file or larger than 1 MiB is an error.
Result<Inputs> gather_inputs(int argc, const char* const* argv);

// The whole way from inputs to a checked command. Pure. All errors are Error{usage}: one sentence with the place
// ("/comp:99: …", "tintype.ini:12: …") and the way out. Asking for help or the version never fails because
// of the environment or an INI file.
Result<ParsedCommand> parse_command(const Inputs& inputs);

// The steps of it, for tests and fuzzing.
Result<ParsedCommand> parse_command_line(const Inputs& inputs);
Result<std::vector<Setting>> parse_variable(Action action, const std::string& variable, std::string_view text);

// The password that the command tells: by option, file, descriptor or variable; nothing if it tells none.
// Reads the file or descriptor (first line, at most 128 characters).
Result<std::optional<std::string>> read_password(const ParsedCommand& command);

}  // namespace tintype::options
