// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "options/lookup.h"
#include "options/parse.h"
#include "options/words.h"

namespace tintype::options {
namespace {

// Up to the next ';' outside double quotes; what remains is left in `text`.
Result<std::string_view> next_item(const std::string& variable, std::string_view& text) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < text.size() && (quoted || text[end] != ';'); ++end)
    if (text[end] == '"') quoted = !quoted;
  if (quoted) return wrong(fmt::format("the variable {}: a quotation mark is not closed", variable), "close it");
  const std::string_view item = text.substr(0, end);
  text.remove_prefix(end == text.size() ? end : end + 1);
  return item;
}

// The variable is set once for many commands: an option of another action is no mistake here.
bool belongs_elsewhere(const SlashWord& word) {
  for (const ActionInfo& each : all_actions())
    if (named_by_slash(each.action, word).option != nullptr) return true;
  return false;
}

}  // namespace

Result<std::vector<Setting>> parse_variable(Action action, const std::string& variable, std::string_view text) {
  std::vector<Setting> settings;
  while (!text.empty()) {
    std::string_view item = trim(TRY(next_item(variable, text)));
    if (item.starts_with('/')) item.remove_prefix(1);
    if (item.empty()) continue;
    const SlashWord word = split_slash(item);
    const Named named = named_by_slash(action, word);
    if (named.option == nullptr) {
      if (belongs_elsewhere(word)) continue;
      return fail(unknown_name(action, word.name, "").error().within("the variable " + variable));
    }
    const std::string where = fmt::format("the variable {}: {}", variable, word.name);
    const std::optional<Value> omitted = value_if_omitted(*named.option);
    if (!named.text && !omitted)
      return wrong(fmt::format("{} needs a value", where), fmt::format("it takes {}", accepted(*named.option)));
    Result<Value> value = named.text ? parse_value(*named.option, *named.text) : Result<Value>(*omitted);
    if (!value) return fail(std::move(value).error().within(where));
    settings.push_back({named.option, std::move(value).take(), Origin{Place::environment, where}, std::nullopt});
  }
  return settings;
}

}  // namespace tintype::options
