// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/purge_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "base/environment.h"
#include "base/text.h"
#include "ui/cli/progress_text.h"

namespace tintype::cli {
namespace {

constexpr std::size_t kMostNamed = 3;
constexpr std::size_t kColumns = 6;
using Row = std::array<std::string, kColumns>;

std::string date_text(const RetentionSet& set) {
  if (set.source.empty()) return "?";
  const CivilTime at = civil_time(set.created_local);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", at.year, at.month, at.day, at.hour, at.minute);
}

// Source by source, the newest first; what is not understood at the end.
std::vector<std::size_t> in_order(const ImageFolder& folder) {
  std::vector<std::size_t> order(folder.sets.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t left, std::size_t right) {
    const RetentionSet& a = folder.sets[left].set;
    const RetentionSet& b = folder.sets[right].set;
    if (a.source != b.source) return b.source.empty() || (!a.source.empty() && a.source < b.source);
    return a.created != b.created ? a.created > b.created : a.name < b.name;
  });
  return order;
}

std::string padded(const std::string& cell, std::size_t width, bool right) {
  const std::string blanks(width - columns_of(cell), ' ');
  return right ? blanks + cell : cell + blanks;
}

}  // namespace

std::string why_text(const Retention& decision) {
  std::string text = fmt::format("{}", fmt::join(decision.reasons, ", "));
  if (decision.needed_by.empty()) return text;
  const std::size_t shown = std::min(decision.needed_by.size(), kMostNamed);
  const std::vector<std::string> names(decision.needed_by.begin(), decision.needed_by.begin() + static_cast<std::ptrdiff_t>(shown));
  text += fmt::format("{}needed by {}", text.empty() ? "" : "; ", fmt::join(names, ", "));
  if (shown < decision.needed_by.size()) text += fmt::format(" and {} more", decision.needed_by.size() - shown);
  return text;
}

std::vector<std::string> purge_table(const ImageFolder& folder, const std::vector<Retention>& decisions) {
  std::vector<Row> rows = {{"", "date", "kind", "size", "name", "why"}};
  for (const std::size_t i : in_order(folder)) {
    const FoundSet& found = folder.sets[i];
    rows.push_back({decisions[i].keep ? "keep" : "remove", date_text(found.set), found.kind.empty() ? "?" : printable(found.kind),
                    format_size(found.bytes), printable(found.set.name), printable(why_text(decisions[i]))});
  }
  std::array<std::size_t, kColumns> width{};
  for (const Row& row : rows)
    for (std::size_t c = 0; c < kColumns; ++c) width[c] = std::max(width[c], columns_of(row[c]));
  std::vector<std::string> lines;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < kColumns; ++c) line += padded(row[c], width[c], c == 3) + "  ";
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

Rows purge_rows(const ImageFolder& folder, const std::vector<Retention>& decisions) {
  Rows table{"sets", {}};
  for (const std::size_t i : in_order(folder)) {
    const FoundSet& found = folder.sets[i];
    const bool known = !found.set.source.empty();
    table.rows.push_back({{"file", found.file},
                          {"decision", std::string(decisions[i].keep ? "keep" : "remove")},
                          {"reasons", decisions[i].reasons},
                          {"needed_by", decisions[i].needed_by},
                          {"created", known ? iso8601(found.set.created) : std::string()},
                          {"kind", found.kind},
                          {"size_bytes", found.bytes},
                          {"source", found.set.source},
                          {"set_id", found.set.id == SetId{} ? std::string() : to_hex(found.set.id)}});
  }
  return table;
}

}  // namespace tintype::cli
