// SPDX-License-Identifier: GPL-3.0-or-later
#include "layout/table_reader.h"

namespace tintype {
namespace {
constexpr std::size_t kMaxProblems = 100;
}

Result<Bytes> TableReader::read(std::uint64_t sector, std::uint64_t count) const {
  if (!fits(sector, count, layout_.drive_sectors))
    return fail(ErrorCode::out_of_bounds, "it lies behind the end of the drive");
  Bytes bytes(count * layout_.sector_bytes);
  TRY(drive_.read(sector * layout_.sector_bytes, bytes));
  return bytes;
}

void TableReader::keep(std::uint64_t sector, const Bytes& bytes) {
  const auto step = static_cast<std::ptrdiff_t>(layout_.sector_bytes);
  for (auto at = bytes.begin(); at != bytes.end(); at += step) kept_.try_emplace(sector++, at, at + step);
}

void TableReader::problem(std::string sentence) {
  if (layout_.problems.size() < kMaxProblems)
    layout_.problems.push_back(std::move(sentence));
  else
    layout_.problems.back() = "There are more problems than are listed here.";
}

void TableReader::finish() {
  auto& out = layout_.table_sectors;
  for (const auto& [sector, bytes] : kept_) {
    if (out.empty() || out.back().start_sector + out.back().bytes.size() / layout_.sector_bytes != sector)
      out.push_back({sector, {}});
    out.back().bytes.insert(out.back().bytes.end(), bytes.begin(), bytes.end());
  }
  kept_.clear();
}

}  // namespace tintype
