// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/repair.h"

#include <fmt/format.h>

#include <array>

#include "image/parity_rebuild.h"
#include "image/part_names.h"
#include "job/progress.h"

namespace tintype {
namespace {

constexpr std::uint64_t kRunBytes = 1U << 20;

Result<void> append_plainly(AppendFile& file, ByteSpan bytes) {
  const std::array<ByteSpan, 1> pieces = {bytes};
  return file.append(pieces);
}

class Nowhere final : public AppendFile {
 public:
  Result<void> append(std::span<const ByteSpan>) override { return {}; }
  std::uint64_t size() const override { return 0; }
  Result<void> sync() override { return {}; }
};

// Held where there is something to hold; somebody else's is Error{busy}.
Result<std::unique_ptr<PlaceLock>> lock_if_there(Place& place, const std::string& name) {
  Result<std::unique_ptr<PlaceLock>> lock = place.lock(name);
  if (!lock && lock.error().code == ErrorCode::not_found) return std::unique_ptr<PlaceLock>();
  return lock;
}

class Repair {
 public:
  Repair(const RepairRequest& request, JobContext& context) : request_(request), place_(*request.place), context_(context) {}

  Result<RepairReport> run() {
    TRY(lock());
    TRY(find());
    PartRow row = parts_beside(request_.place, request_.image, parity_->head());
    report_.found = TRY(check_parity(*parity_, row, place_, request_.image, true, context_));
    if (!report_.found.repairable()) return fail(hopeless());
    if (!report_.found.parts_sound()) TRY(repair_parts(row));
    if (!report_.found.file_sound()) TRY(try_repair_parity());
    TRY(remove_repair_leftovers(place_, request_.image));
    if (name_ != parity_name(request_.image)) TRY(place_.rename(name_, parity_name(request_.image)));
    // Parts that still have their temporary names: the first one may only now be readable again.
    TRY(finish_publishing(place_, request_.image));
    TRY(place_.sync());
    return std::move(report_);
  }

 private:
  Result<void> lock() {
    finish_publishing_if_idle(place_, request_.image);
    // In the opposite order of a backup, which checks the first of these after it holds the second.
    locks_.push_back(TRY(lock_if_there(place_, parity_name(request_.image))));
    locks_.push_back(TRY(lock_if_there(place_, partial_name(request_.image, 0))));
    locks_.push_back(TRY(lock_if_there(place_, request_.image)));
    return {};
  }

  Result<void> find() {
    const FoundParity found = TRY(find_parity(place_, request_.image));
    const std::string image = place_.describe(request_.image);
    switch (found.state) {
      case FoundParity::State::there: break;
      case FoundParity::State::none:
        return fail(ErrorCode::not_found, fmt::format("{} has no recovery file ({}), so nothing can be repaired", image,
                                                      place_.describe(parity_name(request_.image))),
                    "tintype salvage saves what is left; backup --parity makes one");
      case FoundParity::State::of_another_image:
        return fail(ErrorCode::not_found, fmt::format("nothing of {} can be repaired: {}", image, found.why), "find the one that was made with it");
      case FoundParity::State::unreadable:
        return fail(ErrorCode::corrupt, fmt::format("nothing of {} can be repaired: {}", image, found.why), "tintype salvage saves what is left");
    }
    parity_ = found.file;
    name_ = found.name;
    return {};
  }

  Error hopeless() {
    for (const LostRange& range : report_.found.lost) context_.events.message({Severity::error, lost_text(range)});
    const ParityReport& found = report_.found;
    return make_error(ErrorCode::corrupt,
                      fmt::format("{} is damaged beyond repair: {} stripes have lost more blocks than can be rebuilt (up to {}, {} can); nothing was changed",
                                  place_.describe(request_.image), found.hopeless_stripes, found.worst, found.limit),
                      "tintype salvage saves what is left");
  }

  Result<void> repair_parts(PartRow& row) {
    std::vector<std::uint32_t> damaged;
    std::uint64_t total = 0;
    for (std::uint32_t i = 0; i < row.parts(); ++i) {
      if (!report_.found.damaged_parts[i]) continue;
      damaged.push_back(i);
      total += row.part(i).length;
    }
    // Blocks that could be rebuilt by their number need not come out right, if the recovery file was tampered with or the memory is
    // bad. That must be known before the first of several parts is replaced; a single one shows it by itself.
    const bool rehearse = damaged.size() > 1;
    ProgressMeter meter(context_.events, "repair", rehearse ? 2 * total : total);
    Nowhere nowhere;
    for (std::size_t i = 0; rehearse && i < damaged.size(); ++i) TRY(write_part(row, damaged[i], nowhere, meter));
    report_.rebuilt_blocks = 0;
    for (const std::uint32_t part : damaged) TRY(repair_part(row, part, meter));
    meter.finish();
    return {};
  }

  Result<void> repair_part(PartRow& row, std::uint32_t part, ProgressMeter& meter) {
    const std::string final_name = part_name(request_.image, part);
    const std::string found = found_part_name(place_, request_.image, parity_->head().set_id, part);
    const std::string temporary = repair_name(final_name);
    meter.object(place_.describe(final_name));
    std::unique_ptr<AppendFile> file = TRY(place_.create(temporary));
    Result<void> written = write_part(row, part, *file, meter);
    if (written) written = file->sync();
    if (written) written = place_.rename(temporary, final_name);
    if (!written) {
      (void)place_.remove(temporary);
      return written;
    }
    TRY(place_.sync());
    if (found != final_name) TRY(place_.remove(found));
    context_.events.info(fmt::format("{} was written anew", place_.describe(final_name)));
    report_.repaired_files.push_back(place_.describe(final_name));
    report_.rebuilt_bytes += row.part(part).length;
    return {};
  }

  Result<void> write_part(PartRow& row, std::uint32_t part, AppendFile& file, ProgressMeter& meter) {
    BlockRebuilder rebuilder(*parity_, row);
    const std::uint64_t block = parity_->head().block_bytes;
    const Extent extent = row.part(part);
    Bytes bytes;
    for (std::uint64_t at = extent.start; at < extent.end();) {
      TRY(context_.cancel.check());
      const std::uint64_t first = at / block;
      const std::uint64_t end = std::min(extent.end(), (first + kRunBytes / block) * block);
      const auto count = static_cast<std::size_t>(div_round_up(end, block) - first);
      bytes.resize(count * static_cast<std::size_t>(block));
      TRY(rebuilder.read(first, count, bytes));
      TRY(append_plainly(file, ByteSpan(bytes).subspan(static_cast<std::size_t>(at - first * block), static_cast<std::size_t>(end - at))));
      meter.advance(end - at);
      at = end;
    }
    report_.rebuilt_blocks += rebuilder.rebuilt();
    return {};
  }

  // The parts are whole by now: what fails here is told, not a failure of all.
  Result<void> try_repair_parity() {
    Result<void> done = repair_parity();
    TRY(context_.cancel.check());
    if (!done) report_.parity_left = fmt::format("{} could not be made anew: {}", parity_->path(), done.error().message());
    return {};
  }

  // From the parts as they are now, which the old file has found sound or rebuilt, as far as it can.
  Result<void> repair_parity() {
    if (report_.found.unknown_blocks > 0 && !(request_.image_is_sound && TRY(request_.image_is_sound()))) {
      report_.parity_left = fmt::format("{} has lost checksums, and the image does not pass validation either: it was left as it is", parity_->path());
      return {};
    }
    const ParityHead& head = parity_->head();
    PartRow row = parts_beside(request_.place, request_.image, head);
    const std::string temporary = repair_name(parity_name(request_.image));
    TRY(write_parity(place_, temporary, head, row, context_, append_plainly, [&](const EncodedStripes& stripes) { return compare(stripes); }));
    TRY(place_.rename(temporary, parity_name(request_.image)));
    TRY(place_.sync());
    if (name_ != parity_name(request_.image)) TRY(place_.remove(name_));
    name_ = parity_name(request_.image);
    report_.repaired_files.push_back(place_.describe(name_));
    report_.parity_rebuilt = true;
    return {};
  }

  // What the old file knows must come out again: a part that went bad a moment ago must not be taken for right.
  Result<void> compare(const EncodedStripes& stripes) {
    const ParityHead& head = parity_->head();
    const ParityGroup group = head.group(stripes.first_stripe / head.group_stripes);
    if (!table_ || table_group_ != group.number) table_ = TRY(parity_->table(group));
    table_group_ = group.number;
    const std::size_t first = static_cast<std::size_t>(stripes.first_stripe - group.first_stripe) * head.stripe_blocks();
    for (std::size_t i = 0; i < stripes.sums.size(); ++i)
      if (table_->known[first + i] && table_->sums[first + i] != stripes.sums[i])
        return fail(ErrorCode::corrupt, fmt::format("it contradicts itself, or {} changed meanwhile", place_.describe(request_.image)), "repair it again");
    return {};
  }

  const RepairRequest& request_;
  Place& place_;
  JobContext& context_;
  std::vector<std::unique_ptr<PlaceLock>> locks_;
  std::shared_ptr<ParityFile> parity_;
  std::string name_;  // of the recovery file as found
  std::optional<ParityTable> table_;
  std::uint64_t table_group_ = 0;
  RepairReport report_;
};

}  // namespace

std::string lost_text(const LostRange& range) {
  return fmt::format("{}: bytes {} to {} are damaged or missing", range.file, range.bytes.start, range.bytes.end() - 1);
}

Result<RepairReport> run_repair(const RepairRequest& request, JobContext& context) {
  OrderlyEvents events(context.events);
  JobContext orderly{events, context.cancel, context.clock, context.random, context.workers};
  return Repair(request, orderly).run();
}

}  // namespace tintype
