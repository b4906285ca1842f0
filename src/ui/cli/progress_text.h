// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/events.h"

namespace tintype::cli {

// Speed of a stage, smoothed so that it can be read: old samples fade with a time constant of some seconds.
class SpeedMeter {
 public:
  using Time = std::chrono::steady_clock::time_point;
  void restart(Time now);
  void update(std::uint64_t done_bytes, Time now);
  double bytes_per_second() const { return speed_; }  // 0: not known yet
  // By bytes at the present speed; nothing while that is not known.
  std::optional<std::uint64_t> seconds_left(const Progress& progress) const;

 private:
  Time last_{};
  std::uint64_t last_bytes_ = 0;
  double speed_ = 0;
  double seen_seconds_ = 0;
};

// Whether a share and an end can be told.
bool total_known(const Progress& progress);
// 0 to 100, rounded down; 100 for nothing to do.
unsigned percent(const Progress& progress);
// "0:07", "12:34", "3:07:00"
std::string format_duration(std::uint64_t seconds);
// "backup  43 % [=======>        ] 1.20 of 2.79 GiB  512 MiB/s  0:03 left  partition 1 (NTFS, Windows)", cut to `width` columns.
std::string progress_line(const Progress& progress, const SpeedMeter& speed, std::size_t width, bool utf8);
// The same for a log or pipe: no bar, no cutting.
std::string progress_sentence(const Progress& progress, const SpeedMeter& speed);

// The beginning of UTF-8 text that fits `columns` columns, one for each code point.
std::string cut_to(std::string_view text, std::size_t columns);
std::size_t columns_of(std::string_view text);

}  // namespace tintype::cli
