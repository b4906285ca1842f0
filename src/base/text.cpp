// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/text.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace tintype {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

void append_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

// One code point of UTF-8 at `at`, which moves on; kReplacement for an invalid byte.
char32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at++);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xF0 && lead < 0xF5 ? 3 : lead >= 0xE0 && lead < 0xF0 ? 2 : lead >= 0xC2 && lead < 0xE0 ? 1 : 0;
  if (more == 0 || text.size() - at < static_cast<std::size_t>(more)) return kReplacement;
  char32_t c = lead & (0x3F >> more);
  for (int i = 0; i < more; ++i) {
    if ((byte(at + static_cast<std::size_t>(i)) & 0xC0) != 0x80) return kReplacement;
    c = (c << 6) | (byte(at + static_cast<std::size_t>(i)) & 0x3F);
  }
  const bool overlong = (more == 2 && c < 0x800) || (more == 3 && c < 0x10000);
  if (overlong || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return kReplacement;
  at += static_cast<std::size_t>(more);
  return c;
}

std::string trimmed(std::string text) {
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Position in the text form of each byte of a GUID, in storage order.
constexpr std::array<std::size_t, 16> kGuidText = {6, 4, 2, 0, 11, 9, 16, 14, 19, 21, 24, 26, 28, 30, 32, 34};

}  // namespace

std::string guid_to_string(const Guid& guid) {
  std::string text = "00000000-0000-0000-0000-000000000000";
  for (std::size_t i = 0; i < guid.size(); ++i)
    text.replace(kGuidText[i], 2, fmt::format("{:02X}", std::to_integer<unsigned>(guid[i])));
  return text;
}

std::optional<Guid> guid_from_string(std::string_view text) {
  if (text.size() == 38 && text.front() == '{' && text.back() == '}') text = text.substr(1, 36);
  if (text.size() != 36) return std::nullopt;
  for (const std::size_t dash : {8U, 13U, 18U, 23U})
    if (text[dash] != '-') return std::nullopt;
  Guid guid{};
  for (std::size_t i = 0; i < guid.size(); ++i) {
    const int high = hex_digit(text[kGuidText[i]]);
    const int low = hex_digit(text[kGuidText[i] + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    guid[i] = static_cast<std::byte>(high * 16 + low);
  }
  return guid;
}

std::string uuid_to_string(ByteSpan bytes) {
  const std::string hex = to_hex(bytes.first(16));
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
         hex.substr(20);
}

std::string to_hex(ByteSpan bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::byte b : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out += kDigits[std::to_integer<std::size_t>(b >> 4)];
    out += kDigits[std::to_integer<std::size_t>(b & std::byte{15})];
  }
  return out;
}

std::string utf8_from_utf16le(ByteSpan bytes) {
  std::string out;
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
    const char32_t unit = le16(bytes, at);
    if (unit == 0) break;
    if (unit < 0xD800 || unit >= 0xE000) {
      append_utf8(out, unit);
      continue;
    }
    const char32_t low = at + 3 < bytes.size() ? le16(bytes, at + 2) : 0;
    if (unit >= 0xDC00 || low < 0xDC00 || low >= 0xE000) {
      append_utf8(out, kReplacement);
      continue;
    }
    append_utf8(out, 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
    at += 2;
  }
  return trimmed(out);
}

std::string utf8_from_latin1(ByteSpan bytes) {
  std::string out;
  for (const std::byte b : bytes) {
    if (b == std::byte{0}) break;
    append_utf8(out, std::to_integer<char32_t>(b));
  }
  return trimmed(out);
}

std::string utf8_checked(ByteSpan bytes) {
  std::string_view text = as_text(bytes);
  text = text.substr(0, text.find('\0'));
  std::string out;
  for (std::size_t at = 0; at < text.size();) append_utf8(out, next_code_point(text, at));
  return trimmed(out);
}

std::string printable(std::string_view utf8) {
  std::string out;
  for (std::size_t at = 0; at < utf8.size();) {
    const char32_t c = next_code_point(utf8, at);
    const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x202A && c <= 0x202E) ||
                         (c >= 0x2066 && c <= 0x2069);
    append_utf8(out, control ? U'?' : c);
  }
  return out;
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  if (value < 9.995) return fmt::format("{:.2f} {}", value, kUnits[unit]);
  if (value < 99.95) return fmt::format("{:.1f} {}", value, kUnits[unit]);
  return fmt::format("{:.0f} {}", value, kUnits[unit]);
}

std::optional<std::uint64_t> parse_size(std::string_view text, std::uint64_t default_unit) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || value < 0) return std::nullopt;
  std::string unit(end, text.data() + text.size());
  for (char& c : unit) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  if (unit.size() == 3 && unit.ends_with("ib")) unit.resize(1);
  if (unit.size() == 2 && unit[0] != 'b' && unit[1] == 'b') unit.resize(1);
  std::uint64_t factor = default_unit;
  if (!unit.empty()) {
    const std::size_t power = std::string_view("bkmgtp").find(unit[0]);
    if (unit.size() != 1 || power == std::string_view::npos) return std::nullopt;
    factor = std::uint64_t{1} << (10 * power);
  }
  std::uint64_t whole = 0;
  const auto exact = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (exact.ec == std::errc{} && exact.ptr == end) return checked_mul(whole, factor);
  const double product = std::round(value * static_cast<double>(factor));
  if (product >= 18446744073709549568.0) return std::nullopt;
  return static_cast<std::uint64_t>(product);
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  int base = 10;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    text.remove_prefix(2);
    base = 16;
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace tintype
