// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/parity_set.h"

#include <algorithm>

namespace tintype {
namespace {

constexpr std::size_t kMostFiles = 64;

}  // namespace

bool means_lost(const Error& error) {
  return error.code == ErrorCode::io || error.code == ErrorCode::corrupt || error.code == ErrorCode::not_found;
}

PartRow::PartRow(std::vector<std::uint64_t> part_bytes, Opener open) : open_(std::move(open)) {
  starts_.push_back(0);
  for (const std::uint64_t bytes : part_bytes) starts_.push_back(starts_.back() + bytes);
}

std::uint32_t PartRow::part_at(std::uint64_t position) const {
  return static_cast<std::uint32_t>(std::upper_bound(starts_.begin(), starts_.end(), position) - starts_.begin() - 1);
}

Result<std::shared_ptr<ReadFile>> PartRow::file(std::uint32_t part) {
  const std::lock_guard lock(mutex_);
  if (const auto found = files_.find(part); found != files_.end()) return found->second;
  Result<std::shared_ptr<ReadFile>> opened = open_(part);
  if (files_.size() >= kMostFiles) files_.erase(files_.begin());
  files_.emplace(part, opened);
  return opened;
}

Result<std::uint64_t> PartRow::file_bytes(std::uint32_t part) { return TRY(file(part))->size(); }

Result<void> PartRow::read(std::uint64_t position, MutableByteSpan out) {
  while (!out.empty() && position < size()) {
    const std::uint32_t number = part_at(position);
    const Extent extent = part(number);
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), extent.end() - position));
    const std::shared_ptr<ReadFile> opened = TRY(file(number));
    TRY(opened->read(position - extent.start, out.first(length)));
    out = out.subspan(length);
    position += length;
  }
  std::fill(out.begin(), out.end(), std::byte{0});
  return {};
}

Result<std::vector<bool>> PartRow::read_blocks(std::uint64_t position, std::size_t block_bytes, MutableByteSpan out) {
  std::vector<bool> sound(out.size() / block_bytes, true);
  Result<void> all = read(position, out);
  if (all) return sound;
  for (std::size_t i = 0; i < sound.size(); ++i) {
    const MutableByteSpan block = out.subspan(i * block_bytes, block_bytes);
    Result<void> one = read(position + i * block_bytes, block);
    if (one) continue;
    if (!means_lost(one.error())) return fail(std::move(one).error());
    sound[i] = false;
    std::fill(block.begin(), block.end(), std::byte{0});
  }
  return sound;
}

void PartRow::will_need(std::uint64_t position, std::uint64_t length) {
  if (position >= size()) return;
  const std::uint32_t number = part_at(position);
  const Extent extent = part(number);
  // Best effort, and only for the part in which it begins.
  if (const auto opened = file(number)) (*opened)->will_need(position - extent.start, std::min(length, extent.end() - position));
}

}  // namespace tintype
