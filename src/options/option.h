// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <string_view>

#include "options/action.h"

namespace tintype::options {

// What an option's value is, and so how its text is checked. `Value::number` holds what is said in brackets.
enum class Kind : std::uint8_t {
  flag,           // no value, or 0/1 no/yes off/on                      [0 or 1]
  choice,         // one of Option::choices, as number or word           [the number]
  integer,        // decimal or 0x hexadecimal, min..max                 [the number]
  sum,            // some of Option::choices added up, or their words joined by '+'; 0: none of them   [the sum]
  size,           // number with an optional unit, unit = Option::unit   [bytes]
  text,           // any text, at most max characters
  path,           // a file or folder of the machine, or an image name (`0@1:\pc`); $~YYYY$ and its kin are replaced
  drive,          // a drive or partition name; a comma list where repeatable
  partition,      // a partition id without a drive: 1, 0x301            [the id]
  mask,           // a bit mask, or mount points separated by commas     [the mask, 0 for mount points]
  password,       // text that is never shown
  star_list,      // fields separated by '*'
  virtual_drive,  // file,C|R,type,size                                  [drive number 0..9]
};

// Where an option stands in an INI file. `by_action` is [Backup_Defaults] for a backup option and so on.
enum class IniSection : std::uint8_t { none, options, phylock, by_action, hd };

// Headings of help and manual pages, in this order.
enum class Group : std::uint8_t {
  what, image, checking, placement, booting, geometry, unattended, reporting, locking, discs, tuning, system, menus,
};
inline constexpr std::size_t kGroupCount = static_cast<std::size_t>(Group::menus) + 1;
std::string_view to_string(Group group);

struct Choice {
  std::uint64_t number = 0;
  std::string_view word = {};     // may be typed in place of the number
  std::string_view meaning = {};
};

// One option, declared once. The text lives as long as the program.
struct Option {
  std::string_view features = {};   // rows of the feature catalogue, separated by blanks
  std::string_view slash = {};      // name after '/', without value; empty: its GNU name serves after '/' too
  std::string_view gnu = {};        // name after "--"; unique in the catalogue and the option's key in code
  std::string_view ini = {};   // INI key; empty if it cannot be said there
  Kind kind = Kind::flag;
  ActionSet actions = kEveryAction;
  Group group = Group::tuning;
  std::string_view value_name = {};     // "N", "FILE" in help
  std::string_view default_value = {};  // as it would be typed; empty: none
  std::string_view help = {};           // one or two sentences, our own
  std::span<const Choice> choices = {};
  std::uint64_t min = 0;
  std::uint64_t max = std::numeric_limits<std::uint64_t>::max();  // characters for text and password
  std::uint64_t unit = 1;               // of a bare number (Kind::size); 0: a unit must be given
  IniSection section = IniSection::by_action;
  std::string_view ini_on = "1";        // the INI value that switches a flag on
  std::string_view ini_on_copy = {};    // the same in [Copy_Defaults], where it differs
  bool ini_on_command_line = true;      // false: the INI's value serves menus only
  bool percent = false;                 // Kind::integer: "%" may stand behind it
  bool value_optional = false;          // "/rb" alone means the first choice
  bool repeatable = false;
  bool no_effect_here = false;          // names something this platform has no counterpart for
  int secret_field = -1;                // Kind::star_list: this field and those after it are never shown
  char letter = 0;                      // "-R"; for flags of actions that take plain words
  bool built = false;

  bool secret() const { return kind == Kind::password || secret_field >= 0; }
  bool belongs_to(Action action) const { return (actions & bit(action)) != 0; }
};

}  // namespace tintype::options
