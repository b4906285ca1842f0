// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/writers/fat_volume.h"

#include <algorithm>

namespace tintype::fat {
namespace {

constexpr std::uint64_t kWindowBytes = 192 * 1024;  // divisible by 3: no 12-bit entry crosses a border

Error broken_chain() { return make_error(ErrorCode::corrupt, "a chain of the FAT leads nowhere", "run fsck.fat -a on it, or have Windows check it (chkdsk /f)"); }

}  // namespace

Result<void> WritableTable::hold(std::uint32_t cluster) {
  if (std::uint64_t{cluster} >= std::uint64_t{g_.cluster_count} + 2) return fail(broken_chain());
  const std::uint64_t at = round_down(std::uint64_t{cluster} * g_.entry_bits() / 8, kWindowBytes);
  if (!window_.empty() && at == window_at_) return {};
  TRY(flush());
  Bytes next(static_cast<std::size_t>(std::min(kWindowBytes, g_.table_bytes() - at)));
  window_.clear();
  TRY(partition_->read(g_.offset_of_copy(g_.active_fat) + at, next));
  window_ = std::move(next);
  window_at_ = at;
  return {};
}

Result<Entry> WritableTable::entry(std::uint32_t cluster) {
  TRY(hold(cluster));
  const auto first = static_cast<std::uint32_t>(window_at_ * 8 / g_.entry_bits());
  return Entry(entry_in(window_, cluster - first, g_.entry_bits()), g_.entry_bits());
}

Result<void> WritableTable::set(std::uint32_t cluster, std::uint32_t value) {
  TRY(hold(cluster));
  const auto at = static_cast<std::size_t>(std::uint64_t{cluster} * g_.entry_bits() / 8 - window_at_);
  std::size_t length = 2;
  if (g_.entry_bits() == 32) {
    store_le(window_, at, (le32(window_, at) & 0xF0000000U) | (value & 0x0FFFFFFFU));
    length = 4;
  } else if (g_.entry_bits() == 16) {
    store_le(window_, at, static_cast<std::uint16_t>(value));
  } else {
    const std::uint16_t both = le16(window_, at);
    store_le(window_, at, static_cast<std::uint16_t>(cluster % 2 != 0 ? (both & 0x000FU) | (value << 4) : (both & 0xF000U) | (value & 0x0FFFU)));
  }
  const bool nothing = dirty_from_ == dirty_to_;
  dirty_from_ = nothing ? at : std::min<std::uint64_t>(dirty_from_, at);
  dirty_to_ = nothing ? at + length : std::max<std::uint64_t>(dirty_to_, at + length);
  return {};
}

Result<void> WritableTable::flush() {
  if (dirty_from_ == dirty_to_) return {};
  const ByteSpan changed = ByteSpan(window_).subspan(static_cast<std::size_t>(dirty_from_), static_cast<std::size_t>(dirty_to_ - dirty_from_));
  for (std::uint32_t copy = 0; copy < g_.fat_copies; ++copy) {
    if (!g_.fats_mirrored && copy != g_.active_fat) continue;
    TRY(partition_->write(g_.offset_of_copy(copy) + window_at_ + dirty_from_, changed));
  }
  dirty_from_ = dirty_to_ = 0;
  return {};
}

Result<std::vector<std::uint32_t>> WritableTable::allocate(std::uint32_t after, std::uint64_t count) {
  std::vector<std::uint32_t> found;
  count = std::min(count, free_);
  if (is_data(after)) next_ = after + 1;  // in one piece if possible
  const std::uint64_t end = std::uint64_t{g_.cluster_count} + 2;
  for (std::uint64_t looked = 0; looked < g_.cluster_count && found.size() < count; ++looked) {
    if (next_ < 2 || next_ >= end) next_ = 2;
    if (TRY(entry(next_)).free()) found.push_back(next_);
    ++next_;
  }
  // From the end, so that no entry ever leads to one that is free.
  for (std::size_t i = found.size(); i-- > 0;) TRY(set(found[i], i + 1 < found.size() ? found[i + 1] : end_mark()));
  if (!found.empty() && after != 0) TRY(set(after, found.front()));
  free_ = found.size() < count ? 0 : free_ - found.size();
  return found;
}

Result<void> WritableTable::free_chain(std::uint32_t first) {
  std::uint32_t at = first;
  for (std::uint64_t steps = 0; steps <= g_.cluster_count; ++steps) {
    if (!is_data(at)) return fail(broken_chain());
    const Entry next = TRY(entry(at));
    if (next.free() || next.bad()) return fail(broken_chain());
    TRY(set(at, 0));
    ++free_;
    if (next.end_of_chain()) return flush();
    at = next.value();
  }
  return fail(broken_chain());
}

Result<std::vector<std::uint32_t>> WritableTable::chain(std::uint32_t first, std::uint64_t most) {
  std::vector<std::uint32_t> clusters;
  for (std::uint32_t at = first; clusters.size() < most;) {
    if (!is_data(at)) return fail(broken_chain());
    clusters.push_back(at);
    const Entry next = TRY(entry(at));
    if (next.end_of_chain()) return clusters;
    at = next.value();
  }
  return fail(broken_chain());
}

Result<void> WritableTable::mark(bool dirty) {
  if (!dirty) TRY(write_summary());
  Bytes sector(512);
  TRY(partition_->read(0, sector));
  const std::size_t at = g_.type == FsType::fat32 ? 0x41 : 0x25;
  const auto state = u8(sector, at);
  const auto wanted = static_cast<std::byte>(dirty ? state | 1U : state & ~1U);
  if (sector[at] != wanted) TRY(partition_->write(at, {&wanted, 1}));
  return partition_->flush();
}

Result<void> WritableTable::write_summary() {
  if (g_.type != FsType::fat32) return {};
  Bytes sector(512);
  TRY(partition_->read(0, sector));
  const std::uint64_t offset = std::uint64_t{le16(sector, 48)} * g_.sector_bytes;
  if (offset == 0 || offset + 512 > g_.fat_offset) return {};
  TRY(partition_->read(offset, sector));
  if (le32(sector, 0) != 0x41615252U || le32(sector, 484) != 0x61417272U) return {};
  store_le(sector, 488, static_cast<std::uint32_t>(free_));
  store_le(sector, 492, std::clamp<std::uint32_t>(next_, 2, g_.cluster_count + 1));
  return partition_->write(offset, sector);
}

}  // namespace tintype::fat
