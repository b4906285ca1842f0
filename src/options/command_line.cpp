// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "options/lookup.h"
#include "options/parse.h"
#include "options/words.h"

namespace tintype::options {
namespace {

// One walk over the words, left to right. Both spellings may stand on one line; the action is the first word that
// names one, and only global options may stand before it.
class CommandLine {
 public:
  explicit CommandLine(const Inputs& inputs) : inputs_(inputs), words_(inputs.arguments) {}

  Result<ParsedCommand> read() {
    while (at_ < words_.size() && !done_) TRY(read_word(words_[at_++]));
    return std::move(command_);
  }

 private:
  Result<void> read_word(const std::string& word) {
    if (word == "--help" || word == "-h" || word == "-?" || word == "/?") return help(word == "/?");
    if (word == "--version" || word == "-V") return version();
    if (word.starts_with("--")) return read_gnu(word);
    if (takes_words() && (!word.starts_with('-') || word == "-")) return read_plain(word);
    if (takes_words() && word.size() > 1 && word.find_first_of(letters(), 1) == 1) return read_letters(word);
    if (word.starts_with('/')) return read_slash(word);
    if (word.starts_with('-') && word.size() > 1)
      return wrong(fmt::format("{}: there are no one-letter options beside -h and -V", printable(word)),
                   "write --drive or /d");
    if (!chosen_) return read_verb(word);
    return wrong(fmt::format("\"{}\" stands alone", printable(word)),
                 "every value belongs to an option, such as --file=NAME or /f:NAME");
  }

  Result<void> help(bool in_slash) {
    command_.help_in_slash = in_slash;
    for (; !chosen_ && at_ < words_.size(); ++at_) {
      const std::string& word = words_[at_];
      const ActionInfo* found =
          word.starts_with('/') ? find_slash_action(std::string_view(word).substr(1)) : find_gnu_action(word);
      if (found != nullptr) choose(*found);
    }
    if (chosen_ && command_.action != Action::help) command_.help_topic = command_.action;
    command_.action = Action::help;
    done_ = true;
    return {};
  }

  Result<void> version() {
    command_.action = Action::version;
    done_ = true;
    return {};
  }

  void choose(const ActionInfo& action) {
    command_.action = action.action;
    chosen_ = true;
  }

  bool help_follows() const {
    return std::ranges::any_of(words_, [](const std::string& word) {
      return word == "--help" || word == "-h" || word == "-?" || word == "/?";
    });
  }

  Result<void> choose_checked(const ActionInfo& action, const std::string& word) {
    if (action.action == Action::help) return help(false);
    if (action.action == Action::version) return version();
    if (!action.built && !inputs_.allow_unbuilt && !help_follows())
      return wrong(fmt::format("the action {} is not built yet", word), "\"tintype help\" lists those that are");
    choose(action);
    return {};
  }

  Result<void> read_verb(const std::string& word) {
    const ActionInfo* action = find_gnu_action(word);
    if (action != nullptr) return choose_checked(*action, word);
    std::vector<std::string_view> names;
    for (const ActionInfo& each : all_actions())
      if (!each.gnu.empty()) names.push_back(each.gnu);
    const std::string_view near = nearest(word, names);
    return wrong(fmt::format("\"{}\" is no action", printable(word)),
                 near.empty() ? "\"tintype help\" lists them" : fmt::format("did you mean {}?", near));
  }

  Result<void> read_slash(const std::string& word) {
    const SlashWord parts = split_slash(std::string_view(word).substr(1));
    if (!chosen_ && !parts.value) {
      const ActionInfo* action = find_slash_action(parts.name);
      if (action != nullptr) return choose_checked(*action, word);
    }
    const Named named = named_by_slash(command_.action, parts);
    if (named.option == nullptr) return unknown_slash(word, parts);
    if (named.text) return add(*named.option, *named.text, shown_word(*named.option, word));
    return add_without_value(*named.option, word);
  }

  Result<void> unknown_slash(const std::string& word, const SlashWord& parts) {
    const ActionInfo* action = parts.value ? nullptr : find_slash_action(parts.name);
    if (action != nullptr)
      return wrong(fmt::format("{} is a second action", word), "give one action only");
    if (parts.name.find('/') != std::string_view::npos)
      return wrong(fmt::format("\"{}\" is no option", printable(word)),
                   "a path is the value of an option, such as --file=/mnt/pc or /f:/mnt/pc");
    return unknown_name(command_.action, parts.name, "/");
  }

  bool takes_words() const { return chosen_ && !info(command_.action).words.empty(); }

  std::string letters() const {
    std::string out;
    for (const Option* each : options_of(command_.action))
      if (each->letter != 0) out += each->letter;
    return out;
  }

  // "-lR": flags by their letters.
  Result<void> read_letters(const std::string& word) {
    for (const char letter : std::string_view(word).substr(1)) {
      const std::vector<const Option*> options = options_of(command_.action);
      const auto found = std::ranges::find(options, letter, &Option::letter);
      if (letter == 0 || found == options.end())
        return wrong(fmt::format("{}: there is no option -{}", printable(word), printable(std::string(1, letter))), fmt::format("it takes the letters {}", letters()));
      TRY(keep(**found, Value{"1", 1}, word));
    }
    return {};
  }

  // A value without its option's name. The options that may be given so are said by the action.
  Result<void> read_plain(const std::string& word) {
    const std::vector<std::string> names = split_fields(info(command_.action).words, ' ');
    const Option& last = *find_gnu(command_.action, names.back());
    if (plain_ >= names.size() && !last.repeatable)
      return wrong(fmt::format("\"{}\" is one word too many", printable(word)), fmt::format("\"tintype help {}\" shows what it takes",
                                                                                          info(command_.action).gnu));
    const Option& option = plain_ < names.size() ? *find_gnu(command_.action, names[plain_]) : last;
    ++plain_;
    return add(option, word, fmt::format("\"{}\"", word));
  }

  Result<void> read_gnu(const std::string& word) {
    if (word == "--") {
      while (takes_words() && at_ < words_.size()) TRY(read_plain(words_[at_++]));
      if (at_ == words_.size()) return {};
      return wrong(fmt::format("\"{}\" stands alone", printable(words_[at_])), "every value belongs to an option");
    }
    const std::string_view body = std::string_view(word).substr(2);
    const std::size_t equals = body.find('=');
    const std::string_view name = body.substr(0, equals);
    const Option* found = find_gnu(command_.action, name);
    if ((found == nullptr || found->gnu != name) && name.starts_with("no-") && equals == std::string_view::npos) {
      const Option* negated = find_gnu(command_.action, name.substr(3));
      if (negated != nullptr && negated->gnu == name.substr(3) && negated->kind == Kind::flag)
        return add(*negated, "0", word);
    }
    if (found == nullptr) return unknown_name(command_.action, name, "--");
    if (equals != std::string_view::npos) return add(*found, body.substr(equals + 1), shown_word(*found, word));
    return add_without_value(*found, word);
  }

  // The next word is the value, unless none is needed. A slash word that names an option is never a value:
  // "/f /o" has forgotten one.
  Result<void> add_without_value(const Option& found, const std::string& word) {
    if (std::optional<Value> value = value_if_omitted(found)) return keep(found, std::move(*value), word);
    const bool next_is_option = at_ < words_.size() && is_option(words_[at_]);
    if (at_ == words_.size() || next_is_option)
      return wrong(fmt::format("{} needs a value", printable(word)), fmt::format("it takes {}", accepted(found)));
    std::string_view text = words_[at_++];
    if (word.starts_with('/')) text = unquoted(text);
    return add(found, text, found.secret() ? word : fmt::format("{} {}", word, text));
  }

  bool is_option(const std::string& word) const {
    if (word.starts_with("--")) return true;
    if (takes_words()) return false;
    if (!word.starts_with('/')) return false;
    return named_by_slash(command_.action, split_slash(std::string_view(word).substr(1))).option != nullptr;
  }

  static std::string shown_word(const Option& found, const std::string& word) {
    return found.secret() ? word.substr(0, word.find_first_of(":=")) : word;
  }

  Result<void> add(const Option& found, std::string_view text, std::string where) {
    Result<Value> value = parse_value(found, text);
    if (!value) return fail(std::move(value).error().within(printable(where)));
    return keep(found, std::move(value).take(), std::move(where));
  }

  // Of a flag the last word holds. A value that is dropped without a word could be the one that was meant.
  Result<void> keep(const Option& found, Value value, std::string where) {
    const bool counts_once = !found.repeatable && found.kind != Kind::flag && !found.no_effect_here;
    if (counts_once && std::ranges::find(command_.settings, &found, &Setting::option) != command_.settings.end()) {
      const bool in_slash = where.starts_with('/') && !found.slash.empty();
      return wrong(fmt::format("{}{} is given twice", in_slash ? "/" : "--", in_slash ? found.slash : found.gnu), "give it once");
    }
    command_.settings.push_back(
        {&found, std::move(value), Origin{Place::command_line, printable(where)}, std::nullopt});
    return {};
  }

  const Inputs& inputs_;
  const std::vector<std::string>& words_;
  std::size_t at_ = 0;
  std::size_t plain_ = 0;  // plain words so far
  bool chosen_ = false;
  bool done_ = false;
  ParsedCommand command_;
};

}  // namespace

Result<ParsedCommand> parse_command_line(const Inputs& inputs) { return CommandLine(inputs).read(); }

}  // namespace tintype::options
