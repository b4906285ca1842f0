// SPDX-License-Identifier: GPL-3.0-or-later
#include "options/ini.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "options/lookup.h"
#include "options/words.h"

namespace tintype::options {
namespace {

constexpr std::size_t kMaxLines = 20000;

std::string place(const std::string& path, std::size_t line) { return fmt::format("{}:{}", path, line); }

Result<void> read_line(const std::string& where, std::string_view line, IniLine& current, bool& is_setting) {
  is_setting = false;
  if (line.empty() || line.front() == ';' || line.front() == '#') return {};
  if (line.front() == '[') {
    if (line.back() != ']' || line.size() < 3)
      return wrong(fmt::format("{}: a section's name stands between [ and ]", where), "close the bracket");
    current.section = lower(trim(line.substr(1, line.size() - 2)));
    return {};
  }
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos || trim(line.substr(0, equals)).empty())
    return wrong(fmt::format("{}: neither a section nor key=value", where), "begin a comment with ';'");
  if (current.section.empty())
    return wrong(fmt::format("{}: a value before the first section", where), "put [Options] above it");
  current.key = std::string(trim(line.substr(0, equals)));
  current.value = std::string(unquoted(trim(line.substr(equals + 1))));
  is_setting = true;
  return {};
}

// What a section's name means.
struct Section {
  IniSection kind = IniSection::none;
  Action action = Action::none;   // by_action
  std::optional<unsigned> hd;
};

Section section_of(std::string_view name) {
  if (name == "options") return {IniSection::options, Action::none, std::nullopt};
  if (name == "phylock_options") return {IniSection::phylock, Action::none, std::nullopt};
  if (name == "backup_defaults") return {IniSection::by_action, Action::backup, std::nullopt};
  if (name == "restore_defaults") return {IniSection::by_action, Action::restore, std::nullopt};
  if (name == "validate_defaults") return {IniSection::by_action, Action::validate, std::nullopt};
  if (name == "consolidate_defaults") return {IniSection::by_action, Action::consolidate, std::nullopt};
  if (name == "copy_defaults") return {IniSection::by_action, Action::copy, std::nullopt};
  const bool drive = name.starts_with("hd") && name.size() > 2 && name.size() <= 5 &&
                     name.find_first_not_of("0123456789", 2) == std::string_view::npos;
  if (!drive) return {};
  return {IniSection::hd, Action::none, static_cast<unsigned>(parse_number(name.substr(2)).value_or(0))};
}

bool is_virtual_drive_key(std::string_view key) {
  return key.size() == 2 && (key[0] == 'v' || key[0] == 'V') && key[1] >= '0' && key[1] <= '9';
}

// The options that a key of a section may set: several flags may share one (PostValidate).
std::vector<const Option*> candidates(const Section& section, std::string_view key) {
  std::vector<const Option*> out;
  for (const Option& each : catalogue()) {
    if (each.ini.empty() || each.section != section.kind) continue;
    if (section.kind == IniSection::by_action && !each.belongs_to(section.action)) continue;
    const bool same = each.kind == Kind::virtual_drive ? is_virtual_drive_key(key) : same_word(each.ini, key);
    if (same) out.push_back(&each);
  }
  return out;
}

std::string_view on_value(const Option& option, const Section& section) {
  return section.action == Action::copy && !option.ini_on_copy.empty() ? option.ini_on_copy : option.ini_on;
}

std::unexpected<Error> unknown_key(const Section& section, const IniLine& line, const std::string& where) {
  for (const Option& each : catalogue())
    if (each.ini.empty() && (same_word(each.gnu, line.key) || same_word(each.slash, line.key)))
      return wrong(fmt::format("{}: {} cannot be said in an INI file", where, printable(line.key)),
                   fmt::format("say --{} on the command line", each.gnu));
  std::vector<std::string_view> keys;
  std::vector<std::string> lowered;
  for (const Option& each : catalogue()) {
    const bool here = each.section == section.kind && !each.ini.empty() &&
                      (section.kind != IniSection::by_action || each.belongs_to(section.action));
    if (here) keys.push_back(each.ini);
    if (here) lowered.push_back(lower(each.ini));
  }
  const std::string_view near = nearest(line.key, {lowered.begin(), lowered.end()});
  const auto found = std::ranges::find(lowered, near);
  const std::string hint =
      near.empty() ? std::string("the manual page lists the keys of each section")
                   : fmt::format("did you mean {}?", keys[static_cast<std::size_t>(found - lowered.begin())]);
  return wrong(fmt::format("{}: [{}] has no key {}", where, line.section, printable(line.key)), hint);
}

// Flags compare with the value that switches them on, as numbers (0x10000 may be written in decimal). Flags that
// share the key are switched off, or a weaker file's value would live on beside this one.
Result<std::vector<Setting>> read_flags(const std::vector<const Option*>& flags, const Section& section,
                                        const IniLine& line, const Origin& origin) {
  const std::optional<std::uint64_t> number = parse_number(line.value);
  bool known = number == 0;
  std::vector<Setting> out;
  for (const Option* each : flags) {
    const bool on = number && number == parse_number(on_value(*each, section));
    known = known || on;
    out.push_back({each, Value{on ? "1" : "0", on}, origin, section.hd});
  }
  if (known) return out;
  std::string allowed = "0";
  for (const Option* each : flags) allowed += fmt::format(", {}", on_value(*each, section));
  return wrong(fmt::format("{}: {}={} is not one of {}", origin.where, line.key, printable(line.value), allowed));
}

Result<std::vector<Setting>> read_setting(const Section& section, const IniLine& line, const std::string& where) {
  const std::vector<const Option*> options = candidates(section, line.key);
  if (options.empty()) return unknown_key(section, line, where);
  const Origin origin{Place::ini, where};
  if (options.front()->kind == Kind::flag) return read_flags(options, section, line, origin);
  const Option& only = *options.front();
  const std::string text =
      only.kind == Kind::virtual_drive ? fmt::format("{}:{}", line.key[1], line.value) : line.value;
  Result<Value> value = parse_value(only, text);
  if (!value) return fail(std::move(value).error().within(fmt::format("{}: {}", where, line.key)));
  return std::vector<Setting>{{&only, std::move(value).take(), origin, section.hd}};
}

bool counts(const Setting& setting, const Section& section, Action action, bool menus) {
  if (!setting.option->belongs_to(action)) return false;
  if (section.kind == IniSection::by_action) return menus && section.action == action;
  if (menus) return true;
  return section.kind != IniSection::hd && setting.option->ini_on_command_line;
}

}  // namespace

Result<std::vector<IniLine>> read_ini(const std::string& path, std::string_view text) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return wrong(fmt::format("{}: the file is in UTF-16", path), "save it as UTF-8");
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<IniLine> lines;
  IniLine current;
  while (!text.empty()) {
    if (++current.line > kMaxLines) return wrong(fmt::format("{}: more than {} lines", path, kMaxLines));
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string where = place(path, current.line);
    if (line.find('\0') != std::string_view::npos)
      return wrong(fmt::format("{}: a NUL byte", where), "this is no text file");
    bool is_setting = false;
    TRY(read_line(where, trim(line), current, is_setting));
    if (is_setting) lines.push_back(current);
  }
  return lines;
}

Result<IniSettings> settings_from_ini(const std::string& path, std::string_view text, Action action, bool menus) {
  IniSettings out;
  std::string passed_over;
  for (const IniLine& line : TRY(read_ini(path, text))) {
    const Section section = section_of(line.section);
    const std::string where = place(path, line.line);
    if (section.kind == IniSection::none) {
      if (passed_over != line.section)
        out.notes.push_back(fmt::format("{}: section [{}] is not known and passed over", where, printable(line.section)));
      passed_over = line.section;
      continue;
    }
    for (Setting& each : TRY(read_setting(section, line, where)))
      if (counts(each, section, action, menus)) out.settings.push_back(std::move(each));
  }
  return out;
}

}  // namespace tintype::options
