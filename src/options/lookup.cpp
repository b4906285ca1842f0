// SPDX-License-Identifier: GPL-3.0-or-later
#include "options/lookup.h"

#include <fmt/format.h>

#include "base/text.h"
#include "options/words.h"

namespace tintype::options {
namespace {

std::string actions_having(const Option& option) {
  std::string out;
  for (const ActionInfo& each : all_actions())
    if (!each.gnu.empty() && option.belongs_to(each.action))
      out += fmt::format("{}{}", out.empty() ? "" : ", ", each.gnu);
  return out;
}

// An option of that name in any other action.
const Option* elsewhere(std::string_view name, bool slash) {
  for (const ActionInfo& each : all_actions()) {
    const Option* found = slash ? find_slash(each.action, name) : find_gnu(each.action, name);
    if (found != nullptr && (slash || found->gnu == name)) return found;
  }
  return nullptr;
}

std::string beginnings(Action action, std::string_view name) {
  std::string out;
  std::size_t count = 0;
  for (const Option* each : options_of(action)) {
    if (!each->gnu.starts_with(name)) continue;
    ++count;
    if (count <= 6) out += fmt::format("{}--{}", out.empty() ? "" : ", ", each->gnu);
  }
  return count > 6 ? out + " …" : out;
}

}  // namespace

SlashWord split_slash(std::string_view word) {
  const std::size_t separator = word.find_first_of(":=");
  if (separator == std::string_view::npos) return {word, std::nullopt};
  return {word.substr(0, separator), unquoted(word.substr(separator + 1))};
}

Named named_by_slash(Action action, const SlashWord& word) {
  const std::string_view name = word.name;
  const bool virtual_drive =
      name.size() == 2 && (name[0] == 'v' || name[0] == 'V') && name[1] >= '0' && name[1] <= '9';
  if (virtual_drive) {
    const Option& found = option("virtual-drive");
    return {&found, fmt::format("{}:{}", name[1], word.value.value_or(""))};
  }
  Named named{find_slash(action, name), std::nullopt};
  if (word.value) named.text = std::string(*word.value);
  return named;
}

std::unexpected<Error> unknown_name(Action action, std::string_view name, std::string_view prefix) {
  const bool gnu = prefix == "--";
  const std::string typed = fmt::format("{}{}", prefix, printable(name));
  const std::string_view verb = action == Action::none ? "the program before its action" : info(action).gnu;
  if (const Option* other = elsewhere(name, !gnu))
    return wrong(fmt::format("{} is no option of {}", typed, verb),
                 action == Action::none ? "give the action first"
                                        : fmt::format("it belongs to {}", actions_having(*other)));
  if (gnu && !name.empty()) {
    const std::string several = beginnings(action, name);
    if (!several.empty()) return wrong(fmt::format("{} is not clear", typed), fmt::format("say one of {}", several));
  }
  std::vector<std::string_view> names;
  for (const Option* each : options_of(action)) names.push_back(gnu || each->slash.empty() ? each->gnu : each->slash);
  const std::string_view near = nearest(name, names);
  std::string hint = near.empty() ? fmt::format("see \"tintype help{}{}\"", action == Action::none ? "" : " ", info(action).gnu)
                                  : fmt::format("did you mean {}{}?", prefix, near);
  return wrong(fmt::format("{} is no option", typed), std::move(hint));
}

}  // namespace tintype::options
