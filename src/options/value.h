// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "options/option.h"

namespace tintype::options {

// A checked value. `text` is what was said (a virtual drive: without its number), `number` as Kind says.
struct Value {
  std::string text;
  std::uint64_t number = 0;
  friend bool operator==(const Value&, const Value&) = default;
};

// Checks the text of an option's value. The Error{usage} says what is wrong and what would be right; it never
// holds the text of a secret. It does not name the option: the caller knows which spelling was used.
Result<Value> parse_value(const Option& option, std::string_view text);
// What an option without a value means: a flag switched on, or the first choice where the value may be left out.
// Empty for the others.
std::optional<Value> value_if_omitted(const Option& option);

// "0 (none), 1 (standard) …", "0 to 255", "a size such as 650MiB": what an option takes; for errors and help.
std::string accepted(const Option& option);

// The text as it may be shown or logged: "***" in place of what is secret.
std::string shown(const Option& option, const Value& value);

// "0@1,2,0x301" → "0@1", "0@2", "0@0x301"; "0@1,1@2" → both. Anything whose comma is not such a list (a file
// name) stays one name.
std::vector<std::string> split_drives(std::string_view text);

// "c.vhd,C,vhdd,65536" taken apart; `creation` empty: the file's name alone, which may hold commas too.
struct VirtualDriveText {
  std::string file;
  struct Creation {
    std::string word, type, size;  // C or create, R or recreate; as typed
    bool anew() const;
  };
  std::optional<Creation> creation;
};
VirtualDriveText split_virtual_drive(std::string_view text);

// The fields of a '*' list.
std::vector<std::string> split_fields(std::string_view text, char separator);

}  // namespace tintype::options
