// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "image/part_names.h"
#include "job/parity.h"
#include "job/pipeline.h"
#include "job/progress.h"

namespace tintype {
namespace {

constexpr std::size_t kMostListed = 1000;
constexpr std::uint64_t kRunBytes = 1U << 20;

class ParityCheck {
 public:
  ParityCheck(const ParityFile& parity, PartRow& row, Place& place, const std::string& image, JobContext& context)
      : parity_(parity), head_(parity.head()), row_(row), place_(place), image_(image), context_(context) {}

  Result<ParityReport> run(bool data) {
    report_.path = parity_.path();
    report_.data_checked = data;
    report_.limit = head_.parity_blocks;
    report_.damaged_records = parity_.damaged_heads();
    report_.wrong_length = parity_.wrong_length();
    report_.damaged_parts.resize(row_.parts());
    counts_.resize(static_cast<std::size_t>(head_.stripes));
    ProgressMeter meter(context_.events, "parity", (data ? head_.set_bytes : 0) + head_.file_bytes());
    meter.object(parity_.path());
    TRY(check_file(meter));
    if (data) {
      meter.object(place_.describe(image_));
      TRY(check_lengths());
      TRY(check_data(meter));
      list_lost();
    }
    sum_up();
    meter.finish();
    return std::move(report_);
  }

 private:
  struct Counts {
    std::uint8_t lost = 0;      // data blocks known to be damaged
    std::uint8_t unusable = 0;  // of all blocks
    bool hopeless = false;
  };
  struct Slot {
    std::uint64_t first = 0;  // group, or data block
    std::size_t count = 0;
    std::vector<BlockVerdict> states;
    std::vector<bool> read;
    std::uint64_t damaged_pages = 0;
    std::uint64_t unknown = 0;
  };

  unsigned workers() const { return worker_count(context_.workers); }

  // Every table and parity block.
  Result<void> check_file(ProgressMeter& meter) {
    std::vector<BlockChecker> checkers(workers(), BlockChecker(parity_));
    std::vector<Bytes> buffers(workers());
    std::vector<Slot> slots(slot_count(workers()));
    std::uint64_t next = 0;
    PipelineSteps steps;
    steps.produce = [&](std::size_t slot) -> Result<bool> {
      slots[slot] = Slot{next++, 0, {}, {}, 0, 0};
      return slots[slot].first < head_.groups();
    };
    steps.work = [&](unsigned worker, std::size_t slot) -> Result<void> {
      Slot& s = slots[slot];
      const ParityGroup group = head_.group(s.first);
      const ParityTable table = TRY(parity_.table(group));
      s.damaged_pages = table.damaged_pages;
      s.unknown = static_cast<std::uint64_t>(std::ranges::count(table.known, false));
      Bytes& bytes = buffers[worker];
      bytes.resize(static_cast<std::size_t>(head_.parity_bytes(group)));
      s.read = TRY(parity_.read_parity(group, 0, bytes));
      for (std::uint32_t at = 0; at < s.read.size(); ++at)
        s.states.push_back(TRY(checkers[worker].check(group.first_stripe + at / head_.parity_blocks, head_.data_blocks + at % head_.parity_blocks,
                                                      ByteSpan(bytes).subspan(std::size_t{at} * head_.block_bytes, head_.block_bytes), s.read[at])));
      return {};
    };
    steps.consume = [&](std::size_t slot) -> Result<void> {
      const Slot& s = slots[slot];
      const ParityGroup group = head_.group(s.first);
      report_.damaged_records += s.damaged_pages;
      report_.unknown_blocks += s.unknown;
      for (std::size_t at = 0; at < s.states.size(); ++at) {
        if (s.states[at] == BlockVerdict::sound) continue;
        ++counts_[static_cast<std::size_t>(group.first_stripe + at / head_.parity_blocks)].unusable;
        if (s.states[at] == BlockVerdict::damaged) ++report_.damaged_parity_blocks;
      }
      meter.advance(head_.parity_bytes(group));
      return {};
    };
    return run_pipeline(workers(), slots.size(), context_.cancel, steps);
  }

  // A part that is missing or too short is found by its blocks, one that is too long only by its length.
  Result<void> check_lengths() {
    for (std::uint32_t i = 0; i < row_.parts(); ++i) {
      const Result<std::uint64_t> bytes = row_.file_bytes(i);
      if (!bytes && !means_lost(bytes.error())) return fail(bytes.error());
      const std::uint64_t wanted = row_.part(i).length;
      report_.damaged_parts[i] = !bytes || *bytes != wanted;
      if (bytes && *bytes > wanted) list(place_.describe(part_name(image_, i)), {wanted, *bytes - wanted});
    }
    return {};
  }

  // Every data block, in the order of the parts.
  Result<void> check_data(ProgressMeter& meter) {
    std::vector<BlockChecker> checkers(workers(), BlockChecker(parity_));
    std::vector<Bytes> buffers(workers());
    std::vector<Slot> slots(slot_count(workers()));
    const std::uint64_t most = kRunBytes / head_.block_bytes;
    std::uint64_t next = 0;
    PipelineSteps steps;
    steps.produce = [&](std::size_t slot) -> Result<bool> {
      const std::uint64_t left = std::min(head_.blocks - next, head_.stripes - next % head_.stripes);
      slots[slot] = Slot{next, static_cast<std::size_t>(std::min(left, most)), {}, {}, 0, 0};
      next += slots[slot].count;
      return slots[slot].count > 0;
    };
    steps.work = [&](unsigned worker, std::size_t slot) -> Result<void> {
      Slot& s = slots[slot];
      Bytes& bytes = buffers[worker];
      bytes.resize(s.count * head_.block_bytes);
      s.read = TRY(row_.read_blocks(s.first * head_.block_bytes, head_.block_bytes, bytes));
      for (std::size_t i = 0; i < s.count; ++i)
        s.states.push_back(TRY(checkers[worker].check(s.first % head_.stripes + i, static_cast<std::uint32_t>(s.first / head_.stripes),
                                                      ByteSpan(bytes).subspan(i * head_.block_bytes, head_.block_bytes), s.read[i])));
      return {};
    };
    steps.consume = [&](std::size_t slot) -> Result<void> {
      const Slot& s = slots[slot];
      for (std::size_t i = 0; i < s.count; ++i)
        if (s.states[i] != BlockVerdict::sound) count_data(s.first + i, s.states[i], s.read[i]);
      meter.advance(s.count * head_.block_bytes);
      return {};
    };
    return run_pipeline(workers(), slots.size(), context_.cancel, steps);
  }

  void count_data(std::uint64_t block, BlockVerdict state, bool read) {
    Counts& counts = counts_[static_cast<std::size_t>(block % head_.stripes)];
    ++counts.unusable;
    if (state == BlockVerdict::unknown && read) return;
    // Nothing could tell whether it was rebuilt rightly.
    if (state == BlockVerdict::unknown) counts.hopeless = true;
    ++counts.lost;
    ++report_.damaged_blocks;
    const Extent bytes{block * head_.block_bytes, std::min<std::uint64_t>(head_.block_bytes, row_.size() - block * head_.block_bytes)};
    for (std::uint32_t part = row_.part_at(bytes.start); part < row_.parts() && row_.part(part).start < bytes.end(); ++part)
      report_.damaged_parts[part] = true;
    if (lost_.items().size() < kMostListed || lost_.end() == bytes.start) lost_.add(bytes);
  }

  void list(const std::string& file, Extent bytes) {
    if (report_.lost.size() < kMostListed) report_.lost.push_back({file, bytes});
  }

  void list_lost() {
    for (Extent bytes : lost_.items())
      while (bytes.length > 0) {
        const std::uint32_t part = row_.part_at(bytes.start);
        const Extent of_part = row_.part(part);
        const std::uint64_t length = std::min(bytes.length, of_part.end() - bytes.start);
        list(place_.describe(part_name(image_, part)), {bytes.start - of_part.start, length});
        bytes = {bytes.start + length, bytes.length - length};
      }
  }

  void sum_up() {
    for (const Counts& counts : counts_) {
      if (counts.lost == 0) continue;
      report_.worst = std::max<std::uint32_t>(report_.worst, counts.unusable);
      if (counts.hopeless || counts.unusable > head_.parity_blocks) ++report_.hopeless_stripes;
    }
  }

  const ParityFile& parity_;
  const ParityHead& head_;
  PartRow& row_;
  Place& place_;
  const std::string& image_;
  JobContext& context_;
  std::vector<Counts> counts_;
  ExtentSet lost_;  // bytes of the row
  ParityReport report_;
};

}  // namespace

Result<ParityReport> check_parity(const ParityFile& parity, PartRow& row, Place& place, const std::string& image, bool data,
                                  JobContext& context) {
  return ParityCheck(parity, row, place, image, context).run(data);
}

}  // namespace tintype
