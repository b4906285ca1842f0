// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/fat/table.h"

#include <algorithm>

namespace tintype::fat {
namespace {

class AllocatedRuns final : public ClusterRuns {
 public:
  AllocatedRuns(std::shared_ptr<Drive> partition, const Geometry& g) : table_(std::move(partition), g), g_(g) {}

  Result<std::optional<ClusterRun>> next() override {
    const std::uint32_t end = g_.cluster_count + 2;
    while (at_ < end) {
      if (at_ >= window_.first + window_.count) window_ = TRY(table_.window(at_));
      const std::uint32_t limit = std::min(end, window_.first + window_.count);
      while (at_ < limit && !used(at_)) ++at_;
      const std::uint32_t first = at_;
      while (at_ < limit && used(at_)) ++at_;
      if (at_ != first) return ClusterRun{first - 2, at_ - first};
    }
    return std::nullopt;
  }

 private:
  bool used(std::uint32_t index) const {
    return !Entry(entry_in(window_.any, index - window_.first, g_.entry_bits()), g_.entry_bits()).free();
  }
  Table table_;
  Geometry g_;
  Table::Window window_;
  std::uint32_t at_ = 2;
};

}  // namespace

std::uint32_t entry_in(ByteSpan table, std::uint32_t index, std::uint32_t bits) {
  if (bits == 32) return le32(table, std::size_t{index} * 4);
  if (bits == 16) return le16(table, std::size_t{index} * 2);
  const std::uint16_t pair = le16(table, std::size_t{index} + index / 2);
  return index % 2 == 0 ? pair & 0xFFFU : static_cast<std::uint32_t>(pair >> 4);
}

Result<void> Table::read_copy(std::uint32_t copy, std::uint64_t at, Bytes& out) {
  out.resize(std::min<std::uint64_t>(kWindowBytes, g_.table_bytes() - at));
  return partition_->read(g_.offset_of_copy(copy) + at, out);
}

Result<Entry> Table::entry(std::uint32_t index) {
  const std::uint32_t number = index / entries_per_window();
  if (held_ != number) {
    held_.reset();
    TRY(read_copy(g_.active_fat, std::uint64_t{number} * kWindowBytes, active_));
    held_ = number;
  }
  return Entry(entry_in(active_, index % entries_per_window(), g_.entry_bits()), g_.entry_bits());
}

Result<Table::Window> Table::window(std::uint32_t index) {
  const std::uint32_t number = index / entries_per_window();
  const std::uint64_t at = std::uint64_t{number} * kWindowBytes;
  held_.reset();
  TRY(read_copy(g_.active_fat, at, active_));
  held_ = number;
  Window window;
  window.first = number * entries_per_window();
  window.count = std::min(entries_per_window(), g_.cluster_count + 2 - window.first);
  window.active = window.any = active_;
  for (std::uint32_t copy = 0; copy < g_.fat_copies; ++copy) {
    if (copy == g_.active_fat) continue;
    TRY(read_copy(copy, at, other_));
    if (other_ == active_) continue;
    if (!window.copies_differ) any_ = active_;
    for (std::size_t i = 0; i < any_.size(); ++i) any_[i] |= other_[i];
    for (std::uint32_t i = number == 0 ? 2 : 0; i < window.count && !window.copies_differ; ++i)
      window.copies_differ = Entry(entry_in(active_, i, g_.entry_bits()), g_.entry_bits()).value() !=
                             Entry(entry_in(other_, i, g_.entry_bits()), g_.entry_bits()).value();
    if (window.copies_differ) window.any = any_;
  }
  return window;
}

Result<Census> take_census(Table& table, const Geometry& geometry) {
  Census census;
  const std::uint32_t end = geometry.cluster_count + 2, bits = geometry.entry_bits();
  for (std::uint32_t at = 0; at < end;) {
    const Table::Window window = TRY(table.window(at));
    if (at == 0) census.reserved_entry = entry_in(window.active, 1, bits);
    for (std::uint32_t i = at == 0 ? 2 : 0; i < window.count; ++i)
      if (!Entry(entry_in(window.active, i, bits), bits).free()) ++census.used_clusters;
    census.copies_differ |= window.copies_differ;
    at = window.first + window.count;
  }
  return census;
}

std::unique_ptr<ClusterRuns> allocated_runs(std::shared_ptr<Drive> partition, const Geometry& geometry) {
  return std::make_unique<AllocatedRuns>(std::move(partition), geometry);
}

}  // namespace tintype::fat
