// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/chain_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/environment.h"
#include "base/text.h"

namespace tintype::cli {
namespace {

constexpr std::size_t kFirstShown = 3, kLastShown = 12;
constexpr std::size_t kBarColumns = 24;

std::string date(std::int64_t seconds) {
  if (seconds < 0 || seconds > 253402300799) return "unknown";
  return iso8601(std::chrono::sys_seconds(std::chrono::seconds(seconds)));
}

std::string bar(std::uint64_t bytes, std::uint64_t largest, bool utf8) {
  const double share = largest == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(largest);
  const auto filled = std::clamp(static_cast<std::size_t>(share * kBarColumns + 0.5), std::size_t{bytes != 0}, kBarColumns);
  std::string text;
  for (std::size_t i = 0; i < kBarColumns; ++i) text += i < filled ? (utf8 ? "█" : "#") : " ";
  return text;
}

}  // namespace

std::string chain_text(const ImageListing& image, std::size_t columns, bool utf8) {
  const std::vector<ChainListing>& chain = image.chain;
  if (chain.size() < 2) return {};
  std::uint64_t total = 0, largest = 0;
  for (const ChainListing& link : chain) {
    total += link.size_bytes;
    largest = std::max(largest, link.size_bytes);
  }
  std::string text = fmt::format("  chain of {} images, {}:\n", chain.size(), format_size(total));
  const bool with_bar = columns >= 90;
  const bool cut = chain.size() > kFirstShown + kLastShown + 1;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (cut && i == kFirstShown) {
      const std::size_t end = chain.size() - kLastShown;
      std::uint64_t hidden = 0;
      bool troubled = false;
      for (std::size_t k = i; k < end; ++k) {
        hidden += chain[k].size_bytes;
        troubled = troubled || !chain[k].problem.empty();
      }
      text += fmt::format("    {:<12}  {:<20}  {:>9}  {} more\n", utf8 ? "⋮" : "...", "", format_size(hidden), end - i);
      // What is wrong is shown wherever it stands.
      for (std::size_t k = i; k < end && troubled; ++k)
        if (!chain[k].problem.empty()) text += fmt::format("    missing or damaged: {}\n", printable(chain[k].problem));
      i = end - 1;
      continue;
    }
    const ChainListing& link = chain[i];
    const bool here = i + 1 == chain.size();
    const std::string size = link.problem.empty() ? format_size(link.size_bytes) : "?";
    text += fmt::format("    {:<12}  {:<20}  {:>9}  {}{}{}\n", printable(link.kind), date(link.created), size,
                        with_bar ? bar(link.size_bytes, largest, utf8) + "  " : "", printable(link.name), here ? "  (this one)" : "");
    if (!link.problem.empty()) text += fmt::format("    missing or damaged: {}\n", printable(link.problem));
  }
  return text;
}

}  // namespace tintype::cli
