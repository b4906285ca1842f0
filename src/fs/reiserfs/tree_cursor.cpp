// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/reiserfs/tree_cursor.h"

#include <fmt/format.h>

namespace tintype::reiserfs {
namespace {

constexpr std::size_t kBlockHead = 24, kItemHead = 24, kKeyBytes = 16, kChildBytes = 8;

// The type stands in the upper four bits of a 3.6 key; those of a 3.5 key give none of the three there.
Key parse_key(ByteSpan raw, std::size_t at) {
  Key key;
  key.locality = le32(raw, at);
  key.object = le32(raw, at + 4);
  const std::uint64_t both = le64(raw, at + 8);
  const std::uint64_t type = both >> 60;
  if (type >= 1 && type <= 3) {
    key.offset = both & 0x0FFFFFFFFFFFFFFF;
    key.type = static_cast<ItemType>(type);
    return key;
  }
  key.offset = le32(raw, at + 8);
  switch (le32(raw, at + 12)) {
    case 0: key.type = ItemType::stat; break;
    case 500: key.type = ItemType::folder; break;
    case 0xFFFFFFFE: key.type = ItemType::indirect; break;
    case 0xFFFFFFFF: key.type = ItemType::direct; break;
    default: key.type = ItemType::any; break;
  }
  return key;
}

std::unexpected<Error> damaged(std::uint64_t block, std::string_view what) {
  return fail(ErrorCode::corrupt, fmt::format("block {} of the ReiserFS tree is damaged: {}", block, what));
}

}  // namespace

Key key_of(std::uint64_t id, std::uint64_t offset, ItemType type) {
  return {static_cast<std::uint32_t>(id >> 32), static_cast<std::uint32_t>(id), offset, type};
}

Result<void> TreeCursor::load(std::size_t index, std::uint64_t block) {
  Level& level = levels_[index];
  if (level.block != block || block == 0) {
    level.block = 0;
    if (block == 0 || block >= super_.blocks) return damaged(block, "it lies outside the file system");
    level.raw.resize(super_.block_bytes);
    ++blocks_read_;
    TRY(drive_->read(block * super_.block_bytes, level.raw));
    level.height = le16(level.raw, 0);
    level.count = le16(level.raw, 2);
    if (level.height == 0 || level.height >= kMaxLevels) return damaged(block, "its level");
    const std::size_t needed = level.leaf() ? kBlockHead + level.count * kItemHead
                                            : kBlockHead + level.count * kKeyBytes + (level.count + 1) * kChildBytes;
    if (needed > level.raw.size()) return damaged(block, "the number of its items");
    level.block = block;
  }
  if (index > 0 && level.height + 1 != levels_[index - 1].height) return damaged(block, "its level");
  level.at = 0;
  depth_ = index + 1;
  return {};
}

std::uint64_t TreeCursor::child(const Level& level) const {
  return le32(level.raw, kBlockHead + level.count * kKeyBytes + level.at * kChildBytes);
}

Result<void> TreeCursor::seek(const Key& key) {
  depth_ = 0;
  TRY(load(0, super_.root_block));
  while (true) {
    Level& level = levels_[depth_ - 1];
    const std::size_t step = level.leaf() ? kItemHead : kKeyBytes;
    std::size_t low = 0, high = level.count;  // how many keys are at or before it
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (parse_key(level.raw, kBlockHead + middle * step) <= key)
        low = middle + 1;
      else
        high = middle;
    }
    level.at = level.leaf() && low > 0 ? low - 1 : low;
    if (level.leaf()) return {};
    TRY(load(depth_, child(level)));
  }
}

Result<void> TreeCursor::down_to_first() {
  while (!levels_[depth_ - 1].leaf()) TRY(load(depth_, child(levels_[depth_ - 1])));
  return {};
}

Result<bool> TreeCursor::advance() {
  while (depth_ > 0) {
    Level& level = levels_[depth_ - 1];
    const std::size_t end = level.leaf() ? level.count : level.count + 1;
    if (level.at + 1 < end) {
      ++level.at;
      TRY(down_to_first());
      if (valid()) return true;
      continue;  // an empty leaf
    }
    --depth_;
  }
  return false;
}

Result<Item> TreeCursor::item() const {
  if (!valid()) return fail(ErrorCode::corrupt, "the ReiserFS tree holds nothing there");
  const Level& level = levels_[depth_ - 1];
  const std::size_t head = kBlockHead + level.at * kItemHead;
  const std::size_t length = le16(level.raw, head + 18), location = le16(level.raw, head + 20);
  if (!fits(location, length, level.raw.size())) return damaged(level.block, "an item");
  return Item{parse_key(level.raw, head), le16(level.raw, head + 16), ByteSpan(level.raw).subspan(location, length),
              level.block * super_.block_bytes + location};
}

}  // namespace tintype::reiserfs
