// SPDX-License-Identifier: GPL-3.0-or-later
#include "options/name_variables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/local_time.h"
#include "base/text.h"
#include "options/lookup.h"
#include "options/words.h"

namespace tintype::options {
namespace {

constexpr std::string_view kBegin = "$~";
constexpr std::array<std::string_view, 8> kBuiltIn = {"YYYY", "YY", "MM", "DD", "DOY", "DOW", "HHMM", "VER"};
// English whatever the locale: a name must not depend on who runs the backup.
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

std::string built_in(std::string_view name, const NameVariables& variables) {
  const CivilTime time = civil_time(variables.moment);
  if (name == "YYYY") return fmt::format("{:04}", time.year);
  if (name == "YY") return fmt::format("{:02}", time.year % 100);
  if (name == "MM") return fmt::format("{:02}", time.month);
  if (name == "DD") return fmt::format("{:02}", time.day);
  if (name == "DOY") return fmt::format("{:03}", time.day_of_year);
  if (name == "DOW") return std::string(kDays[time.weekday]);
  if (name == "HHMM") return fmt::format("{:02}{:02}", time.hour, time.minute);
  return variables.version;
}

std::unexpected<Error> unknown(std::string_view name, const std::map<std::string, std::string>& saved) {
  std::string names = fmt::format("there are {}", fmt::join(kBuiltIn, ", "));
  for (const auto& [each, path] : saved) names += ", " + printable(each);
  names += saved.empty() ? "; --save-name keeps others" : "";
  return wrong(fmt::format("there is no variable $~{}$", printable(name)), std::move(names));
}

Result<std::string> value_of(std::string_view name, const NameVariables& variables) {
  if (std::ranges::find(kBuiltIn, name) != kBuiltIn.end()) return built_in(name, variables);
  std::map<std::string, std::string> saved;
  if (variables.saved) saved = TRY(variables.saved());
  const auto found = saved.find(std::string(name));
  if (found == saved.end()) return unknown(name, saved);
  return found->second;
}

}  // namespace

Result<std::string> expand_names(std::string_view text, const NameVariables& variables) {
  std::string out;
  while (true) {
    const std::size_t begin = text.find(kBegin);
    out += text.substr(0, begin);
    if (begin == std::string_view::npos) return out;
    text.remove_prefix(begin + kBegin.size());
    const std::size_t end = text.find('$');
    if (end == std::string_view::npos)
      return wrong(fmt::format("the variable $~{} is not closed", printable(text)), "write it like $~YYYY$");
    out += TRY(value_of(text.substr(0, end), variables));
    text.remove_prefix(end + 1);
  }
}

Result<void> check_saved_name(std::string_view name) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  if (name.empty() || name.find_first_not_of(kAllowed) != std::string_view::npos)
    return wrong(fmt::format("\"{}\" cannot be the name of a variable", printable(name)),
                 "use letters, digits, '-', '_' and '.'");
  for (const std::string_view each : kBuiltIn)
    if (same_word(each, name))
      return wrong(fmt::format("$~{}$ has a meaning of its own already", each), "choose another name");
  return {};
}

}  // namespace tintype::options
