// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tintype::options {

// What $~YYYY$ and its kin stand for in a path, as the reference manual has them in "File Path Variables": YYYY, YY, MM,
// DD, DOY (three digits), DOW (three letters), HHMM, VER, in capitals, and every name kept by --save-name.
struct NameVariables {
  std::chrono::local_seconds moment{};  // the start of the run, as the clock on the wall shows it: one for all of it
  std::string version;
  // The names kept by --save-name and the paths they stand for. Asked only if there is a variable to look up; null: none.
  std::function<Result<std::map<std::string, std::string>>()> saved;
};

// The text with its variables replaced; what they stand for is not looked at again. Error{usage} for a variable that is
// not closed or not known, which lists those there are.
Result<std::string> expand_names(std::string_view text, const NameVariables& variables);

// Whether a name can be kept: letters, digits, '-', '_' and '.', and none of the manual's own in any case. Error{usage}.
Result<void> check_saved_name(std::string_view name);

}  // namespace tintype::options
