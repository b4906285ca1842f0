// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "options/catalogue.h"
#include "options/value.h"

namespace tintype::options {

// Where a setting was made, weakest first.
enum class Place : std::uint8_t { ini, environment, command_line };

struct Origin {
  Place place = Place::command_line;
  std::string where;  // "tintype.ini:12", "the variable TINTYPE", "/comp:9": for messages; never holds a secret
};

struct Setting {
  const Option* option = nullptr;  // into the catalogue
  Value value;
  Origin origin;
  std::optional<unsigned> hd;      // the N of [HDN]; only from the INI
};

// A command as it was understood: a plain value. Settings stand in rising precedence (INI, environment, command
// line) and, within the command line, in the order typed, which matters: npt before the drive it acts on.
// Getters take the GNU name of an option; a misspelt one is a bug and stops the program.
struct ParsedCommand {
  Action action = Action::none;
  std::optional<Action> help_topic;   // action == help: which one; empty: the program
  bool help_in_slash = false;         // it was asked for by "/?"
  std::vector<Setting> settings;
  std::chrono::local_seconds moment{}; // the start of the run on the wall's clock, as name variables show it
  std::vector<std::string> notes;     // for the log: options without effect here, INI sections passed over

  // The setting that counts (the last one), or null.
  const Setting* find(std::string_view gnu) const;
  bool has(std::string_view gnu) const { return find(gnu) != nullptr; }
  // Flags: on or off, else the default.
  bool flag(std::string_view gnu) const;
  // Choices, integers, sizes (in bytes), partitions: said, else the default, else nothing.
  std::optional<std::uint64_t> number(std::string_view gnu) const;
  // Text as said, else the default, else nothing.
  std::optional<std::string> text(std::string_view gnu) const;
  // All values of a repeatable option, in order; drive lists taken apart.
  std::vector<std::string> texts(std::string_view gnu) const;
  // Which of password, password-file and password-fd counts (the strongest place; there the last); null: none.
  const Setting* password_source() const;
  // The un/uy/ui/um that hold, with the later of un and uy winning.
  bool answers_no() const;
  bool answers_yes() const;
};

// Rules between options: what an action needs and what excludes each other. Error{usage}.
Result<void> check_together(const ParsedCommand& command);

}  // namespace tintype::options
