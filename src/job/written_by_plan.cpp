// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/written_by_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "job/restore_steps.h"

namespace tintype {
namespace {
constexpr std::size_t kMostListed = 20;
}

void CompareReport::add(std::string difference) {
  ++differing_chunks;
  if (differences.size() < kMostListed) differences.push_back(std::move(difference));
}

Result<ExtentSet> WrittenByPlan::excused_bytes(const CopyStep& step, const Area& area) const {
  ExtentSet changed = unwritable_;
  for (const HiddenSectorsFix& fix : plan_.fixes)
    for (const Extent& field : TRY(fields_on(target_, fix))) changed.add(field);
  for (const TableWrite& write : plan_.write_last) changed.add({write.target_byte, write.bytes.size()});
  ExtentSet excused;
  const ExtentSet here = changed.clipped({step.target_byte, step.limit_bytes});
  for (const Extent& extent : here.items()) excused.add({extent.start - step.target_byte, extent.length});
  for (const Extent& cleared : cleared_ranges(area)) excused.add(cleared);
  return excused;
}

Result<void> WrittenByPlan::compare_tables() {
  for (const TableWrite& write : plan_.write_last) TRY(compare_bytes(write.target_byte, write.bytes, write.what));
  for (const HiddenSectorsFix& fix : plan_.fixes) {
    std::array<std::byte, 4> value{};
    store_le(value, 0, fix.value);
    for (const Extent& field : TRY(fields_on(target_, fix))) TRY(compare_bytes(field.start, value, "the hidden-sectors field"));
  }
  return {};
}

// Behind sectors known to be unwritable nothing can be expected.
Result<void> WrittenByPlan::compare_bytes(std::uint64_t at, ByteSpan wanted, const std::string& what) {
  if (unwritable_.intersects(Extent{at, wanted.size()})) return {};
  Bytes found(wanted.size());
  TRY(target_.read(at, found));
  if (!std::ranges::equal(found, wanted)) report_.add(fmt::format("{} differs", what));
  report_.compared_bytes += found.size();
  return {};
}

}  // namespace tintype
