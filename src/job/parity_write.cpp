// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "base/text.h"
#include "image/part_names.h"
#include "job/parity.h"
#include "job/pipeline.h"
#include "job/progress.h"

namespace tintype {

Result<void> write_parity(Place& place, const std::string& name, const ParityHead& head, PartRow& row, JobContext& context,
                          const ParityWriter::Append& append, const StripeInspector& inspect) {
  const ParityCode code(head.data_blocks, head.parity_blocks);
  // More of them only wait for the memory or the drive, and each holds a piece of every row.
  constexpr unsigned kMostWorkers = 4;
  const unsigned count = std::min(worker_count(context.workers), kMostWorkers);
  std::vector<StripeEncoder> encoders(count, StripeEncoder(head, row, code));
  std::vector<EncodedStripes> slots(slot_count(count));
  ProgressMeter meter(context.events, "parity", head.set_bytes);
  const auto run = [&]() -> Result<void> {
    ParityWriter writer(head, TRY(place.create(name)), append);
    TRY(writer.begin());
    std::uint64_t next = 0;
    PipelineSteps steps;
    steps.produce = [&](std::size_t slot) -> Result<bool> {
      if (next == head.stripes) return false;
      // Never across the border of a group.
      const ParityGroup group = head.group(next / head.group_stripes);
      const std::uint64_t left = group.first_stripe + group.stripes - next;
      slots[slot].first_stripe = next;
      slots[slot].stripes = static_cast<std::uint32_t>(std::min<std::uint64_t>(left, StripeEncoder::stripes_at_once(head)));
      next += slots[slot].stripes;
      return true;
    };
    steps.work = [&](unsigned worker, std::size_t slot) { return encoders[worker].encode(slots[slot]); };
    steps.consume = [&](std::size_t slot) -> Result<void> {
      if (inspect) TRY(inspect(slots[slot]));
      TRY(writer.add(slots[slot]));
      meter.advance(std::uint64_t{slots[slot].stripes} * head.data_blocks * head.block_bytes);
      return {};
    };
    TRY(run_pipeline(count, slots.size(), context.cancel, steps));
    return writer.finish();
  };
  Result<void> result = run();
  if (!result) {
    // Busy: it is somebody else's.
    if (result.error().code != ErrorCode::busy) (void)place.remove(name);
    return result;
  }
  meter.finish();
  return {};
}

AddParity parity_adder(Place& place, const std::string& image, std::uint32_t share_percent, MakeRoom make_room, JobContext& context,
                       std::uint64_t& bytes) {
  return [&place, image, share_percent, make_room, &context, &bytes](const SetId& set_id,
                                                                    std::span<const std::uint64_t> part_bytes) -> Result<bool> {
    const ParityHead head = ParityHead::plan(set_id, {part_bytes.begin(), part_bytes.end()}, share_percent);
    const std::string path = place.describe(parity_name(image));
    if (const auto most = place.max_file_bytes(); most && head.file_bytes() > *most) {
      context.events.warn(fmt::format("{} is left out: it would have {}, more than a file may have there", path, format_size(head.file_bytes())));
      return false;
    }
    PartRow row(head.part_bytes, [&](std::uint32_t part) -> Result<std::shared_ptr<ReadFile>> {
      return std::shared_ptr<ReadFile>(TRY(place.open(partial_name(image, part))));
    });
    TRY(write_parity(place, partial_parity_name(image), head, row, context,
                     [&](AppendFile& file, ByteSpan piece) { return append_with_room(file, piece, make_room); }));
    bytes = head.file_bytes();
    return true;
  };
}

}  // namespace tintype
