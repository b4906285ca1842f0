// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace tintype {

// A moment as the clock on the wall shows it: in the time zone of this computer (the variable TZ, else the system's).
std::chrono::local_seconds to_local(std::chrono::sys_seconds at);

// The same taken apart.
struct CivilTime {
  int year = 1970;
  unsigned month = 1, day = 1;
  unsigned hour = 0, minute = 0, second = 0;
  unsigned day_of_year = 1;  // from 1
  unsigned weekday = 4;      // 0 is Sunday
};
CivilTime civil_time(std::chrono::local_seconds at);

// A stretch of the calendar: "30d", "1y6m", "2w3d12h".
struct CalendarSpan {
  unsigned years = 0, months = 0, days = 0, hours = 0;
};
// Numbers with y, m (months), w, d or h behind them, each unit at most once; empty if it is nothing of the kind, zero or
// absurd.
std::optional<CalendarSpan> parse_span(std::string_view text);
// The moment that lies so far back; the 31st of a shorter month is its last day.
std::chrono::local_seconds before(std::chrono::local_seconds at, const CalendarSpan& span);

}  // namespace tintype
