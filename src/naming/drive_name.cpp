// SPDX-License-Identifier: GPL-3.0-or-later
#include "naming/drive_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "layout/layout.h"

namespace tintype {
namespace {

constexpr std::size_t kMaxText = 4096;
constexpr std::size_t kMaxPartitions = 128;
constexpr const char* kIdHint = "use 1-128, or 0xPVV for volume VV of extended partition P, such as 0x301";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool all_digits(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_digit); }

bool is_partition_id(std::uint64_t id) {
  const bool volume = id >= 0x101 && id <= 0x4FF && (id & 0xFF) != 0;
  const bool hybrid = id > kHybridOnly && id <= kHybridOnly + 4;
  return id <= 128 || volume || hybrid;
}

std::unexpected<Error> bad(std::string_view text, std::string why, std::string hint = {}) {
  return fail(ErrorCode::usage, fmt::format("'{}' {}", printable(text), why), std::move(hint));
}

// Cuts "@ids" off the end; nothing if there is none.
Result<std::vector<std::uint32_t>> take_partitions(std::string_view& text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) return std::vector<std::uint32_t>();
  auto ids = TRY(parse_partition_ids(text.substr(at + 1)));
  text = text.substr(0, at);
  return ids;
}

Result<void> parse_signature(std::string_view text, DriveName& name) {
  std::string_view rest = text.substr(1);
  name.partitions = TRY(take_partitions(rest));
  if (rest.empty()) {
    name.kind = DriveName::Kind::image_signature;
    return {};
  }
  if (const auto guid = guid_from_string(rest)) {
    name.kind = DriveName::Kind::guid;
    name.guid = *guid;
    return {};
  }
  if (rest.starts_with("0x") || rest.starts_with("0X")) rest.remove_prefix(2);
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), name.signature, 16);
  if (error != std::errc() || end != rest.data() + rest.size() || rest.size() > 8)
    return bad(text, "is no disk signature", "write # and 8 hexadecimal digits, or a GUID, as `tintype list` shows them");
  if (name.signature == 0) return bad(text, "names no drive: signature 0 means that a drive has none");
  name.kind = DriveName::Kind::signature;
  return {};
}

Result<void> parse_question(std::string_view text, DriveName& name) {
  const std::string_view rest = text.substr(1);
  if (rest.empty()) return bad(text, "lacks a label or mount point", "write ?/home or ?LABEL");
  if (rest.find('\0') != std::string_view::npos) return bad(text, "contains a zero byte");
  name.word = rest;
  if (rest[0] == '/') {
    name.kind = DriveName::Kind::mount_point;
    while (name.word.size() > 1 && name.word.back() == '/') name.word.pop_back();
  } else if (rest.size() <= 3 && rest.size() >= 2 && is_letter(rest[0]) && rest[1] == ':' &&
             (rest.size() == 2 || rest[2] == '\\' || rest[2] == '/')) {
    name.kind = DriveName::Kind::letter;
    name.word = std::string(1, rest[0]);
  } else {
    name.kind = DriveName::Kind::label;
  }
  return {};
}

// "7", "7@…", "v3", "v3@…": the digits; empty if the text has another form.
std::optional<std::string_view> number_part(std::string_view text) {
  const std::string_view digits = text.substr(0, std::min(text.find('@'), text.size()));
  if (!all_digits(digits)) return std::nullopt;
  return digits;
}

Result<void> parse_number_name(std::string_view whole, std::string_view text, DriveName& name, std::uint32_t limit) {
  name.partitions = TRY(take_partitions(text));
  const auto number = all_digits(text) ? parse_number(text) : std::nullopt;
  if (!number || *number > limit) return bad(whole, "is no drive number", fmt::format("use 0-{}, as `tintype list` shows them", limit));
  name.number = static_cast<std::uint32_t>(*number);
  return {};
}

Result<void> parse_path(std::string_view text, DriveName& name, const FileExists& exists) {
  if (text.find('\0') != std::string_view::npos) return bad(text, "contains a zero byte");
  name.kind = DriveName::Kind::path;
  name.word = text;
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || exists(name.word)) return {};
  auto ids = parse_partition_ids(text.substr(at + 1));
  if (!ids) {
    // Perhaps just a name with '@' of a file that is still to be made.
    if (at == 0 || !exists(std::string(text.substr(0, at)))) return {};
    return fail(std::move(ids).error());
  }
  if (at == 0) return bad(text, "names a partition but no drive");
  name.word = text.substr(0, at);
  name.partitions = std::move(*ids);
  return {};
}

}  // namespace

bool file_exists(const std::string& path) {
  std::error_code ec;
  return std::filesystem::exists(path, ec);
}

Result<std::vector<std::uint32_t>> parse_partition_ids(std::string_view text) {
  std::vector<std::uint32_t> ids;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t end = std::min(text.find(',', from), text.size());
    const std::string_view word = text.substr(from, end - from);
    const auto id = parse_number(word);
    if (!id || !is_partition_id(*id)) return bad(word, "is no partition", kIdHint);
    if (std::ranges::find(ids, *id) != ids.end()) return bad(word, "is named twice");
    if (ids.size() == kMaxPartitions) return bad(word, "is one partition too many");
    ids.push_back(static_cast<std::uint32_t>(*id));
    from = end + 1;
  }
  return ids;
}

Result<DriveName> parse_drive_name(std::string_view text, const FileExists& exists) {
  DriveName name{.kind = DriveName::Kind::path, .text = std::string(text), .word = {}, .partitions = {}};
  if (text.empty()) return fail(ErrorCode::usage, "a drive name is empty", "`tintype list` shows the drives there are");
  if (text.size() > kMaxText) return fail(ErrorCode::usage, fmt::format("a drive name is longer than {} characters", kMaxText));
  std::string_view rest = text;
  const bool is_file = rest.find('@') != std::string_view::npos && rest.find('\0') == std::string_view::npos && exists(name.text);
  if (!is_file && rest.size() > 1 && rest[0] == 'w' && (rest[1] == '/' || rest[1] == '#' || rest[1] == '?' || number_part(rest.substr(1))))
    rest.remove_prefix(1);
  if (is_file) {
    TRY(parse_path(rest, name, exists));
  } else if (rest[0] == '#') {
    TRY(parse_signature(rest, name));
  } else if (rest[0] == '?') {
    TRY(parse_question(rest, name));
  } else if (number_part(rest)) {
    name.kind = DriveName::Kind::number;
    TRY(parse_number_name(text, rest, name, 999));
  } else if (rest[0] == 'v' && number_part(rest.substr(1))) {
    name.kind = DriveName::Kind::virtual_drive;
    TRY(parse_number_name(text, rest.substr(1), name, 9));
  } else {
    TRY(parse_path(rest, name, exists));
  }
  return name;
}

}  // namespace tintype
