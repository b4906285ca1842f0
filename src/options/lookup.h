// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "options/catalogue.h"

namespace tintype::options {

// What the parsers share. Not for use outside this room.

inline std::unexpected<Error> wrong(std::string what, std::string hint = {}) {
  return fail(ErrorCode::usage, std::move(what), std::move(hint));
}

// "comp:7" or "kf=10", without the leading '/'; the value's surrounding quotes are gone.
struct SlashWord {
  std::string_view name;
  std::optional<std::string_view> value;
};
SlashWord split_slash(std::string_view word);

// The option that a slash word names for an action, and the text of its value. "v3:file" names the virtual drive,
// its text is "3:file".
struct Named {
  const Option* option = nullptr;
  std::optional<std::string> text;
};
Named named_by_slash(Action action, const SlashWord& word);

// The error for a name that an action does not have: it may be another action's, ambiguous, or mistyped.
// `prefix` is "/" or "--" or empty (environment).
std::unexpected<Error> unknown_name(Action action, std::string_view name, std::string_view prefix);

}  // namespace tintype::options
