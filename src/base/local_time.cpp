// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/local_time.h"

#include <ctime>

#include <charconv>

namespace tintype {
namespace {

constexpr unsigned kMostOfAUnit = 100000;

}  // namespace

std::chrono::local_seconds to_local(std::chrono::sys_seconds at) {
  const std::time_t seconds = at.time_since_epoch().count();
  std::tm parts{};
  // A year that does not fit: the moment as it is.
  if (::localtime_r(&seconds, &parts) == nullptr) return std::chrono::local_seconds(at.time_since_epoch());
  return std::chrono::local_seconds(at.time_since_epoch() + std::chrono::seconds(parts.tm_gmtoff));
}

CivilTime civil_time(std::chrono::local_seconds at) {
  using namespace std::chrono;
  const local_days midnight = floor<days>(at);
  const year_month_day date(midnight);
  const hh_mm_ss time(at - midnight);
  const local_days new_year(date.year() / January / 1);
  return {.year = static_cast<int>(date.year()),
          .month = static_cast<unsigned>(date.month()),
          .day = static_cast<unsigned>(date.day()),
          .hour = static_cast<unsigned>(time.hours().count()),
          .minute = static_cast<unsigned>(time.minutes().count()),
          .second = static_cast<unsigned>(time.seconds().count()),
          .day_of_year = static_cast<unsigned>((midnight - new_year).count()) + 1,
          .weekday = weekday(midnight).c_encoding()};
}

std::optional<CalendarSpan> parse_span(std::string_view text) {
  CalendarSpan span;
  std::string units;
  while (!text.empty()) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end == text.data() + text.size() || number > kMostOfAUnit) return std::nullopt;
    const char unit = *end == 'H' ? 'h' : *end;
    if (units.find(unit) != std::string::npos) return std::nullopt;
    units += unit;
    switch (unit) {
      case 'y': span.years = number; break;
      case 'm': span.months = number; break;
      case 'w': span.days += number * 7; break;
      case 'd': span.days += number; break;
      case 'h': span.hours = number; break;
      default: return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  }
  const bool something = span.years != 0 || span.months != 0 || span.days != 0 || span.hours != 0;
  if (!something || span.years > 1000 || span.months > 12000) return std::nullopt;
  return span;
}

std::chrono::local_seconds before(std::chrono::local_seconds at, const CalendarSpan& span) {
  using namespace std::chrono;
  const local_days midnight = floor<days>(at);
  year_month_day date(midnight);
  date -= months(span.years * 12 + span.months);
  if (!date.ok()) date = date.year() / date.month() / last;
  return local_days(date) + (at - midnight) - days(span.days) - hours(span.hours);
}

}  // namespace tintype
