// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/carry_out.h"

#include <array>

#include "job/restore_steps.h"

namespace tintype {
namespace {

Result<void> apply(const HiddenSectorsFix& fix, Drive& target, TargetWriter& writer) {
  std::array<std::byte, 4> value{};
  store_le(value, 0, fix.value);
  for (const Extent& field : TRY(fields_on(target, fix))) TRY(writer.write(field.start, value));
  return {};
}

Result<std::uint64_t> go_through(const RestorePlan& plan, Drive& target, TargetWriter& writer, StepData& data) {
  for (const Extent& wipe : plan.wipe_first) TRY(writer.zero(wipe.start, wipe.length));
  TRY(writer.flush());
  TRY(data.copy_all());
  for (const CopyStep& step : plan.copies) {
    if (!step.head_last) continue;
    TRY(writer.flush());
    TRY(data.copy_head(step));
  }
  data.all_is_there();
  for (const HiddenSectorsFix& fix : plan.fixes) TRY(apply(fix, target, writer));
  // The data must be safe before a table makes the target look whole; sector 0 comes after everything else.
  TRY(writer.flush());
  std::uint64_t bytes = 0;
  for (const TableWrite& table : plan.write_last) {
    if (&table == &plan.write_last.back()) TRY(writer.flush());
    TRY(writer.write(table.target_byte, table.bytes));
    bytes += table.bytes.size();
  }
  TRY(writer.flush());
  return bytes;
}

}  // namespace

Result<std::uint64_t> carry_out(const RestorePlan& plan, Drive& target, TargetWriter& writer, StepData& data, JobContext& context,
                                const std::string& unfinished) {
  Result<std::uint64_t> done = go_through(plan, target, writer, data);
  if (!done && writer.flush_failed()) {
    // Which write was lost nobody knows, but writes now go through at once (drive.h) and will say so themselves.
    context.events.warn(done.error().message() + "; all of it is written again, straight to the drive, to find out what cannot be written");
    data.start_over();
    done = go_through(plan, target, writer, data);
  }
  if (done || unfinished.empty()) return done;
  // Somebody must know that the target is no longer what it was.
  Error error = std::move(done).error();
  error.hint += (error.hint.empty() ? "" : "; ") + unfinished;
  return fail(std::move(error));
}

}  // namespace tintype
