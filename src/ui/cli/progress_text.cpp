// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/progress_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace tintype::cli {
namespace {

constexpr double kFadeSeconds = 4;
constexpr std::size_t kBarColumns = 20;

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::string bar(unsigned done, bool utf8) {
  const std::size_t full = std::min<std::size_t>(kBarColumns, done * kBarColumns / 100);
  std::string text = utf8 ? "" : "[";
  for (std::size_t i = 0; i < kBarColumns; ++i)
    text += utf8 ? (i < full ? "█" : "░") : (i < full ? "=" : i == full ? ">" : " ");
  return utf8 ? text : text + "]";
}

std::string rate(const SpeedMeter& speed) {
  if (speed.bytes_per_second() < 1) return {};
  return format_size(static_cast<std::uint64_t>(speed.bytes_per_second())) + "/s";
}

std::string time_left(const Progress& progress, const SpeedMeter& speed) {
  const std::optional<std::uint64_t> seconds = speed.seconds_left(progress);
  return seconds ? format_duration(*seconds) + " left" : std::string();
}

std::string amount(const Progress& progress) {
  const std::string done = format_size(progress.done_bytes);
  return total_known(progress) ? fmt::format("{} of {}", done, format_size(progress.total_bytes)) : done;
}

void join(std::string& line, const std::string& piece) {
  if (!piece.empty()) line += "  " + piece;
}

}  // namespace

void SpeedMeter::restart(Time now) {
  *this = {};
  last_ = now;
}

void SpeedMeter::update(std::uint64_t done_bytes, Time now) {
  const double seconds = std::chrono::duration<double>(now - last_).count();
  if (seconds < 0.05 || done_bytes < last_bytes_) return;
  const double sample = static_cast<double>(done_bytes - last_bytes_) / seconds;
  seen_seconds_ += seconds;
  // While little has been seen this is the plain average; later an exponential one.
  const double weight = std::max(1 - std::exp(-seconds / kFadeSeconds), seconds / seen_seconds_);
  speed_ += (sample - speed_) * std::min(1.0, weight);
  last_ = now;
  last_bytes_ = done_bytes;
}

std::optional<std::uint64_t> SpeedMeter::seconds_left(const Progress& progress) const {
  if (speed_ < 1 || seen_seconds_ < 0.3 || progress.total_bytes < progress.done_bytes) return std::nullopt;
  const double left = static_cast<double>(progress.total_bytes - progress.done_bytes) / speed_;
  if (left > 1e8) return std::nullopt;
  return static_cast<std::uint64_t>(std::ceil(left));
}

bool total_known(const Progress& progress) { return progress.total_bytes != 0 || progress.done_bytes == 0; }

unsigned percent(const Progress& progress) {
  if (progress.total_bytes == 0 || progress.done_bytes >= progress.total_bytes) return 100;
  return static_cast<unsigned>(static_cast<double>(progress.done_bytes) / static_cast<double>(progress.total_bytes) * 100);
}

std::string format_duration(std::uint64_t seconds) {
  if (seconds < 3600) return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string progress_line(const Progress& progress, const SpeedMeter& speed, std::size_t width, bool utf8) {
  const unsigned done = percent(progress);
  std::string line = total_known(progress) ? fmt::format("{} {:3} % {}", progress.stage, done, bar(done, utf8)) : progress.stage;
  join(line, amount(progress));
  join(line, rate(speed));
  join(line, time_left(progress, speed));
  join(line, printable(progress.object));
  return cut_to(line, width);
}

std::string progress_sentence(const Progress& progress, const SpeedMeter& speed) {
  std::string line = total_known(progress) ? fmt::format("{}: {} %", progress.stage, percent(progress)) : progress.stage + ":";
  join(line, amount(progress));
  join(line, rate(speed));
  join(line, time_left(progress, speed));
  join(line, printable(progress.object));
  return line;
}

std::string cut_to(std::string_view text, std::size_t columns) {
  std::size_t at = 0;
  for (std::size_t seen = 0; at < text.size(); ++at)
    if (!continues(text[at]) && ++seen > columns) break;
  return std::string(text.substr(0, at));
}

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return !continues(c); }));
}

}  // namespace tintype::cli
