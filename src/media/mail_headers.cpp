// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/mail_headers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace tintype {
namespace {

constexpr std::size_t kLineBytes = 76;
// A line with encoded words has at most 76 characters (RFC 2047, 2). "Subject: =?UTF-8?B?" and "?=" leave 55: 39 bytes in base64.
constexpr std::size_t kWordBytes = 39;

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) group = group << 8 | (i < n ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i) out += i <= n ? kDigits[group >> (18 - 6 * i) & 63U] : '=';
  }
  return out;
}

bool continues_a_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// The beginning of the text that fits into one word; characters stay whole.
std::string_view first_word(std::string_view text) {
  std::size_t end = std::min(kWordBytes, text.size());
  while (end > 0 && end < text.size() && continues_a_character(text[end])) --end;
  return text.substr(0, end);
}

std::string one_line(std::string_view utf8) {
  std::string text = utf8_checked(as_bytes(utf8));
  std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return text;
}

bool plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F; }) && text.find("=?") == std::string_view::npos;
}

}  // namespace

std::string mail_header(std::string_view name, std::string_view utf8) {
  const std::string text = one_line(utf8);
  std::string out = fmt::format("{}:", name);
  if (plain(text) && out.size() + 1 + text.size() <= kLineBytes) return fmt::format("{} {}", out, text);
  std::string_view rest = text;
  for (bool first = true; !rest.empty(); first = false) {
    const std::string_view word = first_word(rest);
    out += fmt::format("{} =?UTF-8?B?{}?=", first ? "" : "\r\n", base64(word));
    rest.remove_prefix(word.size());
  }
  return out;
}

std::string mail_address_header(std::string_view name, const std::vector<std::string>& addresses) {
  std::string out = fmt::format("{}:", name);
  for (std::size_t i = 0; i < addresses.size(); ++i)
    out += fmt::format("{} {}{}", i == 0 ? "" : "\r\n", one_line(addresses[i]), i + 1 < addresses.size() ? "," : "");
  return out;
}

std::string mail_date(std::chrono::sys_seconds at) {
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  return fmt::format("{}, {} {} {:04} {:02}:{:02}:{:02} +0000", kDays[std::chrono::weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), time.hours().count(), time.minutes().count(), time.seconds().count());
}

}  // namespace tintype
