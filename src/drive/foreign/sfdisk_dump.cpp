// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/foreign/sfdisk_dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"

namespace tintype {
namespace {

constexpr std::size_t kMaxEntries = 1024;
constexpr std::uint64_t kMaxSector = std::uint64_t{1} << 53;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::optional<std::uint64_t> hexadecimal(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::uint32_t number_at_end(std::string_view device) {
  const std::size_t digits = device.find_last_not_of("0123456789") + 1;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(parse_number(device.substr(digits)).value_or(0), 100'000));
}

// "start=        2048, size=       40960, type=7, bootable"
bool parse_fields(std::string_view fields, bool gpt, SfdiskDump::Entry& entry) {
  while (!fields.empty()) {
    const std::size_t comma = std::min(fields.find(','), fields.size());
    const std::string_view field = trimmed(fields.substr(0, comma));
    fields.remove_prefix(std::min(comma + 1, fields.size()));
    const std::size_t equals = field.find('=');
    const std::string_view key = trimmed(field.substr(0, equals));
    if (key == "bootable") entry.bootable = true;
    if (equals == std::string_view::npos) continue;
    const std::string_view value = trimmed(field.substr(equals + 1));
    if (key == "start" || key == "size") {
      const auto number = parse_number(value);
      if (!number || *number > kMaxSector) return false;
      (key == "start" ? entry.start : entry.sectors) = *number;
    } else if (!gpt && (key == "type" || key == "Id")) {
      const auto type = hexadecimal(value);
      if (!type || *type > 0xFF) return false;
      entry.mbr_type = static_cast<std::uint8_t>(*type);
    } else if (key == "name") {
      break;  // quoted, may hold anything; it comes behind what matters
    }
  }
  return true;
}

}  // namespace

Result<SfdiskDump> parse_sfdisk_dump(std::string_view text, const std::string& name) {
  SfdiskDump dump;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t colon = line.find(':');
    if (line.empty() || line.starts_with('#') || colon == std::string_view::npos) continue;
    const std::string_view key = trimmed(line.substr(0, colon)), value = trimmed(line.substr(colon + 1));
    if (key == "label") dump.gpt = value == "gpt";
    if (key == "label-id" && !dump.gpt) dump.signature = static_cast<std::uint32_t>(hexadecimal(value).value_or(0) & 0xFFFFFFFF);
    if (key == "sector-size") dump.sector_bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(parse_number(value).value_or(0), 1U << 20));
    if (key == "last-lba") dump.last_lba = std::min(parse_number(value).value_or(0), kMaxSector);
    if (!key.starts_with("/dev/")) continue;
    SfdiskDump::Entry entry{.device = std::string(key.substr(5)), .number = number_at_end(key)};
    if (!parse_fields(value, dump.gpt, entry) || dump.entries.size() == kMaxEntries)
      return fail(ErrorCode::corrupt, fmt::format("a line of {} describes no partition: {}", name, printable(utf8_checked(as_bytes(line.substr(0, 120))))));
    if (entry.sectors != 0) dump.entries.push_back(std::move(entry));
  }
  return dump;
}

}  // namespace tintype
