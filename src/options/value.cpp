// SPDX-License-Identifier: GPL-3.0-or-later
#include "options/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "options/words.h"

namespace tintype::options {
namespace {

std::unexpected<Error> wrong(std::string what, std::string hint = {}) {
  return fail(ErrorCode::usage, std::move(what), std::move(hint));
}

Result<Value> parse_flag(std::string_view text) {
  constexpr std::array<std::string_view, 4> kOn = {"1", "yes", "on", "true"};
  constexpr std::array<std::string_view, 4> kOff = {"0", "no", "off", "false"};
  const std::string word = lower(text);
  if (std::ranges::find(kOn, word) != kOn.end()) return Value{"1", 1};
  if (std::ranges::find(kOff, word) != kOff.end()) return Value{"0", 0};
  return wrong(fmt::format("\"{}\" is neither on nor off", printable(text)), "say 1 or 0");
}

Result<Value> parse_choice(const Option& option, std::string_view text) {
  const std::optional<std::uint64_t> number = parse_number(text);
  for (const Choice& each : option.choices)
    if ((number && *number == each.number) || same_word(text, each.word))
      return Value{std::to_string(each.number), each.number};
  return wrong(fmt::format("\"{}\" is not one of {}", printable(text), accepted(option)));
}

// Which choices a number is the sum of; nothing if it is none. There are few of them, so all sums are tried.
std::optional<std::uint64_t> as_sum(const Option& option, std::uint64_t number) {
  for (std::uint64_t chosen = 0; chosen < std::uint64_t{1} << option.choices.size(); ++chosen) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < option.choices.size(); ++i)
      if ((chosen >> i & 1U) != 0) sum += option.choices[i].number;
    if (sum == number) return chosen;
  }
  return std::nullopt;
}

Result<Value> parse_sum(const Option& option, std::string_view text) {
  std::uint64_t chosen = 0;
  for (const std::string& term : split_fields(text, '+')) {
    const auto word = std::ranges::find_if(option.choices, [&](const Choice& each) { return same_word(term, each.word); });
    const std::optional<std::uint64_t> number = word != option.choices.end() ? word->number : parse_number(term);
    const std::optional<std::uint64_t> more = number ? as_sum(option, *number) : std::nullopt;
    if (!more) return wrong(fmt::format("\"{}\" is not {}", printable(text), accepted(option)));
    chosen |= *more;
  }
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < option.choices.size(); ++i)
    if ((chosen >> i & 1U) != 0) sum += option.choices[i].number;
  return Value{std::string(text), sum};
}

Result<Value> parse_integer(const Option& option, std::string_view text) {
  const std::string_view digits = option.percent && text.ends_with('%') ? text.substr(0, text.size() - 1) : text;
  const std::optional<std::uint64_t> number = parse_number(digits);
  if (!number || *number < option.min || *number > option.max)
    return wrong(fmt::format("\"{}\" is not {}", printable(text), accepted(option)));
  return Value{std::string(text), *number};
}

Result<Value> parse_size_value(const Option& option, std::string_view text) {
  const bool bare = text.find_first_not_of("0123456789.") == std::string_view::npos;
  if (bare && option.unit == 0)
    return wrong(fmt::format("\"{}\" has no unit", printable(text)), "say MiB or GiB, such as 650MiB");
  const std::optional<std::uint64_t> bytes = parse_size(text, option.unit);
  if (!bytes || *bytes < option.min || *bytes > option.max)
    return wrong(fmt::format("\"{}\" is not {}", printable(text), accepted(option)));
  return Value{std::string(text), *bytes};
}

Result<Value> parse_text(const Option& option, std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return wrong("a NUL byte cannot be part of the value");
  const bool limited = option.kind == Kind::text || option.kind == Kind::password;
  if (limited && code_points(text) > option.max)
    return wrong(fmt::format("longer than {} characters", option.max), "shorten it");
  if (text.empty() && option.kind != Kind::text) return wrong("the value is empty", "give it a value");
  return Value{std::string(text), 0};
}

Result<Value> parse_mask(std::string_view text) {
  const std::optional<std::uint64_t> number = parse_number(text);
  if (number) return Value{std::string(text), *number};
  for (const std::string& each : split_fields(text, ','))
    if (!each.starts_with('/'))
      return wrong(fmt::format("\"{}\" is neither a mask nor a list of mount points", printable(text)),
                   "say a number, or /mnt/a,/mnt/b");
  return Value{std::string(text), 0};
}

Result<Value> parse_star_list(const Option& option, std::string_view text) {
  const std::size_t count = split_fields(text, '*').size();
  // A password that stands last may hold any character.
  const bool rest_is_secret = option.secret_field >= 0 && static_cast<std::uint64_t>(option.secret_field) + 1 == option.max;
  if (count < option.min || (count > option.max && !rest_is_secret))
    return wrong(fmt::format("{} fields where {} to {} belong", count, option.min, option.max),
                 fmt::format("say {}", option.value_name));
  return Value{std::string(text), 0};
}

// "3:file,C,vhdd,1000"; "0:" alone forgets all.
Result<Value> parse_virtual_drive(std::string_view text) {
  constexpr std::array<std::string_view, 8> kTypes = {"raw",   "vhdd", "vhdf", "vmdk",
                                                      "vmdks", "vhdx", "vdi",  "qcow2"};
  if (text.size() < 2 || text[0] < '0' || text[0] > '9' || (text[1] != ':' && text[1] != '='))
    return wrong(fmt::format("\"{}\" does not begin with a number from 0 to 9 and a colon", printable(text)));
  const auto number = static_cast<std::uint64_t>(text[0] - '0');
  const std::string_view rest = text.substr(2);
  if (rest.empty() && number != 0) return wrong("the file name is missing", "only 0 stands alone, and forgets all");
  const Value value{std::string(rest), number};
  const VirtualDriveText parts = split_virtual_drive(rest);
  if (!parts.creation) {
    if (parts.file.find(',') == std::string::npos) return value;
    return wrong("a virtual drive is FILE alone, or FILE,C|R,TYPE,MIB", "give a file with commas in its name as the drive itself");
  }
  if (parts.file.empty()) return wrong("the file name is missing");
  if (std::ranges::find(kTypes, lower(parts.creation->type)) == kTypes.end())
    return wrong(fmt::format("\"{}\" is not one of {}", printable(parts.creation->type), fmt::join(kTypes, ", ")));
  const std::optional<std::uint64_t> size = parse_size(parts.creation->size, 1U << 20);
  if (!size || *size == 0) return wrong(fmt::format("\"{}\" is not a size in MiB", printable(parts.creation->size)));
  return value;
}

}  // namespace

Result<Value> parse_value(const Option& option, std::string_view text) {
  switch (option.kind) {
    case Kind::flag: return parse_flag(text);
    case Kind::choice: return parse_choice(option, text);
    case Kind::integer: return parse_integer(option, text);
    case Kind::sum: return parse_sum(option, text);
    case Kind::size: return parse_size_value(option, text);
    case Kind::partition: {
      const std::optional<std::uint64_t> id = parse_number(text);
      if (!id || *id > 0xFFFF) return wrong(fmt::format("\"{}\" is not {}", printable(text), accepted(option)));
      return Value{std::string(text), *id};
    }
    case Kind::mask: return parse_mask(text);
    case Kind::star_list: return parse_star_list(option, text);
    case Kind::virtual_drive: return parse_virtual_drive(text);
    case Kind::text:
    case Kind::path:
    case Kind::drive:
    case Kind::password: return parse_text(option, text);
  }
  return wrong("the value cannot be read");
}

std::optional<Value> value_if_omitted(const Option& option) {
  if (option.kind == Kind::flag) return Value{"1", 1};
  if (option.value_optional && !option.choices.empty())
    return Value{std::to_string(option.choices.front().number), option.choices.front().number};
  return std::nullopt;
}

std::string accepted(const Option& option) {
  switch (option.kind) {
    case Kind::flag: return "0 or 1";
    case Kind::choice:
    case Kind::sum: {
      std::string out = option.kind == Kind::sum ? "0 or a sum of some of " : "";
      const std::size_t begun = out.size();
      for (const Choice& each : option.choices)
        out += fmt::format("{}{} ({})", out.size() == begun ? "" : ", ", each.number, each.word);
      return out;
    }
    case Kind::integer:
      if (option.max == std::numeric_limits<std::uint64_t>::max())
        return fmt::format("a number of at least {}", option.min);
      if (option.percent) return fmt::format("a share from {}% to {}%", option.min, option.max);
      return fmt::format("a number from {} to {}", option.min, option.max);
    case Kind::size:
      return option.min > 1 ? fmt::format("a size of at least {}, such as 650MiB", format_size(option.min))
                            : "a size such as 200MiB";
    case Kind::partition: return "a partition id such as 1 or 0x301";
    case Kind::mask: return "a mask or a list of mount points";
    case Kind::star_list:
    case Kind::virtual_drive: return std::string(option.value_name);
    case Kind::text:
    case Kind::password: return fmt::format("text of at most {} characters", option.max);
    case Kind::path: return "a path";
    case Kind::drive: return "a drive name";
  }
  return "";
}

std::string shown(const Option& option, const Value& value) {
  if (option.kind == Kind::password) return "***";
  if (option.kind == Kind::virtual_drive) return fmt::format("{}:{}", value.number, value.text);
  if (option.secret_field < 0) return value.text;
  std::string out;
  const std::vector<std::string> fields = split_fields(value.text, '*');
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i != 0) out += '*';
    const bool secret = i >= static_cast<std::size_t>(option.secret_field);
    out += secret ? "***" : fields[i];
    if (secret) break;
  }
  return out;
}

std::vector<std::string> split_drives(std::string_view text) {
  std::vector<std::string> pieces = split_fields(text, ',');
  const std::size_t at = pieces.front().rfind('@');
  if (pieces.size() == 1 || at == std::string::npos) return {std::string(text)};
  std::vector<std::string> out = {pieces.front()};
  const std::string drive = pieces.front().substr(0, at + 1);
  for (std::size_t i = 1; i < pieces.size(); ++i) {
    if (pieces[i].find('@') != std::string::npos) out.push_back(pieces[i]);
    else if (parse_number(pieces[i])) out.push_back(drive + pieces[i]);
    else return {std::string(text)};
  }
  return out;
}

bool VirtualDriveText::Creation::anew() const { return same_word(word, "r") || same_word(word, "recreate"); }

VirtualDriveText split_virtual_drive(std::string_view text) {
  VirtualDriveText out{std::string(text), std::nullopt};
  const std::vector<std::string> fields = split_fields(text, ',');
  if (fields.size() < 4) return out;
  const std::size_t last = fields.size() - 1;
  VirtualDriveText::Creation creation{fields[last - 2], fields[last - 1], fields[last]};
  if (!creation.anew() && !same_word(creation.word, "c") && !same_word(creation.word, "create")) return out;
  out.file = text.substr(0, text.size() - (creation.word.size() + creation.type.size() + creation.size.size() + 3));
  out.creation = std::move(creation);
  return out;
}

std::vector<std::string> split_fields(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (true) {
    const std::size_t end = text.find(separator);
    out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

}  // namespace tintype::options
