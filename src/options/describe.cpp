// SPDX-License-Identifier: GPL-3.0-or-later
// The words around the catalogue: which option is explained where, and what surrounds them.
#include <fmt/format.h>

#include <array>

#include "options/document.h"
#include "options/parse.h"

namespace tintype::options {
namespace {

std::string gnu_term(const Option& option) {
  if (option.kind == Kind::flag) return fmt::format("--{}{}", option.default_value == "1" ? "[no-]" : "", option.gnu);
  return option.value_optional ? fmt::format("--{}[={}]", option.gnu, option.value_name)
                               : fmt::format("--{}={}", option.gnu, option.value_name);
}

std::string slash_term(const Option& option) {
  if (option.kind == Kind::virtual_drive) return "/vN:FILE[,C|R,TYPE,MIB]";
  const std::string_view name = option.slash.empty() ? option.gnu : option.slash;
  if (option.kind == Kind::flag) return fmt::format("/{}{}", name, option.default_value == "1" ? ":0" : "");
  return option.value_optional ? fmt::format("/{}[:{}]", name, option.value_name)
                               : fmt::format("/{}:{}", name, option.value_name);
}

// Actions that take plain words have no slash spelling, as words may begin with '/'.
std::string term(const Option& option, Action action, Spelling spelling) {
  const std::string a = gnu_term(option);
  const std::string b = slash_term(option);
  const std::string letter = option.letter != 0 ? fmt::format(", -{}", option.letter) : "";
  if (action != Action::none && !info(action).words.empty()) return a + letter;
  return (spelling == Spelling::gnu ? fmt::format("{}, {}", a, b) : fmt::format("{}, {}", b, a)) + letter;
}

std::string section_label(const Option& option, Action action) {
  switch (option.section) {
    case IniSection::options: return "[Options]";
    case IniSection::phylock: return "[PHYLock_Options]";
    case IniSection::hd: return "[HDx]";
    default: break;
  }
  std::string name(info(action).gnu);
  name.front() = static_cast<char>(name.front() - 'a' + 'A');
  return fmt::format("[{}_Defaults]", name);
}

// "INI: [Backup_Defaults] RawMode=1", for a flag with the value that is worth writing there.
std::string ini_label(const Option& option, Action action) {
  const std::string key = fmt::format("INI: {} {}", section_label(option, action), option.ini);
  if (option.kind != Kind::flag) return key;
  if (option.default_value == "1") return key + "=0";
  const bool copy = action == Action::copy && !option.ini_on_copy.empty();
  return fmt::format("{}={}", key, copy ? option.ini_on_copy : option.ini_on);
}

std::string default_label(const Option& option) {
  if (option.default_value.empty() || option.kind == Kind::flag) return "";
  return fmt::format(" Default: {}.", option.default_value);
}

Entry entry(const Option& option, Action action, Spelling spelling) {
  Entry out{term(option, action, spelling), std::string(option.help)};
  out.text += default_label(option);
  for (const Choice& each : option.choices)
    out.text += fmt::format("\n{} or {}: {}", each.number, each.word, each.meaning);
  if (!option.ini.empty()) out.text += "\n" + ini_label(option, action);
  return out;
}

bool is_general(const Option& option) { return option.actions == kEveryAction; }

// What is built, by group.
void add_options(Document& document, Action action, const std::vector<const Option*>& options, Spelling spelling) {
  for (std::size_t g = 0; g < kGroupCount; ++g) {
    DocumentSection section{std::string(to_string(static_cast<Group>(g))), "", {}, {}};
    for (const Option* each : options)
      if (each->built && each->group == static_cast<Group>(g))
        section.entries.push_back(entry(*each, action, spelling));
    if (!section.entries.empty()) document.sections.push_back(std::move(section));
  }
}

void add_unbuilt(Document& document, Action action, const std::vector<const Option*>& options, Spelling spelling) {
  DocumentSection later{"Options not built yet", "Known, and refused with a clear message before anything is touched.",
                        {}, {}, true};
  for (const Option* each : options)
    if (!each->built) later.entries.push_back(entry(*each, action, spelling));
  if (!later.entries.empty()) document.sections.push_back(std::move(later));
}

// The examples in the spelling asked for; the catalogue has them in GNU spelling.
std::vector<std::string> examples(const ActionInfo& action, Spelling spelling) {
  std::vector<std::string> out = split_fields(action.examples, '\n');
  for (std::string& each : out) {
    if (spelling == Spelling::gnu) continue;
    Inputs inputs;
    inputs.allow_unbuilt = true;
    inputs.arguments = split_fields(each, ' ');
    inputs.arguments.erase(inputs.arguments.begin());
    const Result<ParsedCommand> command = parse_command(inputs);
    if (command && command->action == action.action) each = show_command(*command, spelling);
  }
  return out;
}

// " IMAGE PATH…": what may stand without the names of its options.
std::string plain_words(const ActionInfo& action) {
  std::string out;
  if (action.words.empty()) return out;
  for (const std::string& name : split_fields(action.words, ' ')) {
    const Option* option = find_gnu(action.action, name);
    out += fmt::format(" {}{}", option->value_name, option->repeatable ? "..." : "");
  }
  return out;
}

Document describe_action(const ActionInfo& action, Spelling spelling) {
  Document out{fmt::format("tintype-{}", action.gnu), std::string(action.summary), {}};
  const std::string gnu = fmt::format("tintype {}{} [options]", action.gnu, plain_words(action));
  std::vector<std::string> synopsis = {gnu};
  if (!action.slash.empty()) {
    const std::string slash = fmt::format("tintype /{} [options]", action.slash);
    synopsis.insert(spelling == Spelling::gnu ? synopsis.end() : synopsis.begin(), slash);
  }
  out.sections.push_back({"Synopsis", "", {}, synopsis});
  const std::string refused = action.built ? "" : "This action is not built yet.\n";
  out.sections.push_back({"Description", refused + std::string(action.about), {}, {}});
  if (!action.examples.empty()) out.sections.push_back({"Examples", "", {}, examples(action, spelling)});
  std::vector<const Option*> own;
  std::string general;
  for (const Option* each : options_of(action.action)) {
    if (!is_general(*each)) own.push_back(each);
    else if (each->built) general += fmt::format("{}--{}", general.empty() ? "" : ", ", each->gnu);
  }
  add_options(out, action.action, own, spelling);
  out.sections.push_back(
      {"Options of every action", fmt::format("{}. \"tintype help\" explains them.", general), {}, {}});
  add_unbuilt(out, action.action, own, spelling);
  return out;
}

DocumentSection action_list() {
  DocumentSection section{"Actions", "", {}, {}};
  for (const ActionInfo& each : all_actions()) {
    if (each.gnu.empty() || !each.built) continue;
    const std::string slash = each.slash.empty() ? "" : fmt::format(", /{}", each.slash);
    section.entries.push_back({fmt::format("{}{}", each.gnu, slash), fmt::format("{}.", each.summary)});
  }
  return section;
}

DocumentSection unbuilt_actions() {
  std::string names;
  for (const ActionInfo& each : all_actions())
    if (!each.built) names += fmt::format("{}{}", names.empty() ? "" : ", ", each.gnu);
  return {"Actions not built yet", names + ".", {}, {}};
}

DocumentSection name_variables() {
  return {"Variables in names of files",
          "In every option that takes a path. Time is that of the start, by the local clock. Capitals count.",
          {{"$~YYYY$, $~YY$, $~MM$, $~DD$", "Year (four or two digits), month, day of the month."},
           {"$~DOY$, $~DOW$", "Day of the year (001 to 366), day of the week (Mon, Tue, Wed, Thu, Fri, Sat, Sun)."},
           {"$~HHMM$", "Hours and minutes."},
           {"$~VER$", "Version of the program."},
           {"$~NAME$", "The image that --save-name=NAME has remembered. A shell needs quotes: '--base=$~NAME$'."}},
          {}};
}

DocumentSection exit_statuses() {
  return {"Exit status", "", {{"0", "success"},
                              {"1", "failed"},
                              {"2", "the command itself makes no sense"},
                              {"3", "refused, or cancelled"},
                              {"4", "damaged image, or a comparison found a difference"},
                              {"5", "done, but with sectors that could not be read or written, or files that could not be extracted"}}, {}};
}

DocumentSection surroundings() {
  return {"Files and environment", "The command line wins over the environment, the environment over INI files.",
          {{"tintype.ini, IFW.INI",
            "In the current directory; then ~/.config/tintype/tintype.ini and /etc/tintype.ini. Sections [Options], "
            "[PHYLock_Options], [Backup_Defaults], [Restore_Defaults], [Validate_Defaults], [Copy_Defaults], "
            "[Consolidate_Defaults], [HD0] and so on. A command line takes only the global options from them."},
           {"TINTYPE, IFW", "Options as on the command line, separated by semicolons: comp:7;desc:\"my own; daily\"."},
           {"TINTYPE_PASSWORD", "The password of an image."},
           {"NO_COLOR", "Set to anything: no colours."},
           {"~/.local/state/tintype/names.json",
            "What --save-name has remembered; with XDG_STATE_HOME set, tintype/names.json in that folder."}},
          {}};
}

Document describe_program(Spelling spelling) {
  Document out{"tintype", "image drives, check the images, bring them back", {}};
  std::vector<std::string> synopsis = {"tintype ACTION [--option=value ...]", "tintype /ACTION [/option:value ...]"};
  if (spelling == Spelling::slash) std::swap(synopsis[0], synopsis[1]);
  out.sections.push_back({"Synopsis", "", {}, synopsis});
  out.sections.push_back(
      {"Description",
       "Tintype saves whole drives or single partitions in image files and restores them. Every option has two "
       "spellings, --word=value and /letters:value, which may be mixed; the long ones may be cut short as long as "
       "they stay clear. A flag is switched off by --no-word, --word=0 or /letters:0. \"tintype help ACTION\" "
       "explains one action.",
       {}, {}});
  out.sections.push_back(action_list());
  out.sections.push_back({"Examples", "", {}, {"tintype list", "tintype backup --drive 0 --file /mnt/bk/pc",
                                             "tintype validate --file /mnt/bk/pc",
                                             "tintype restore --file /mnt/bk/pc --drive 1",
                                             "tintype /b /d:0 /f:/mnt/bk/pc /comp:7 /v"}});
  std::vector<const Option*> general;
  for (const Option& each : catalogue())
    if (is_general(each)) general.push_back(&each);
  add_options(out, Action::none, general, spelling);
  out.sections.push_back(name_variables());
  out.sections.push_back(surroundings());
  out.sections.push_back(exit_statuses());
  out.sections.push_back(unbuilt_actions());
  add_unbuilt(out, Action::none, general, spelling);
  return out;
}

}  // namespace

Document describe(std::optional<Action> topic, Spelling spelling) {
  if (!topic || info(*topic).gnu.empty()) return describe_program(spelling);
  return describe_action(info(*topic), spelling);
}

std::vector<std::optional<Action>> manual_topics() {
  std::vector<std::optional<Action>> out = {std::nullopt};
  for (const ActionInfo& each : all_actions())
    if (each.built && !each.about.empty()) out.emplace_back(each.action);
  return out;
}

}  // namespace tintype::options
