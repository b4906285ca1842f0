// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <memory>

#include "drive/drive.h"
#include "fs/reiserfs/superblock.h"

namespace tintype::reiserfs {

// Everything in a ReiserFS is an item of one S+tree, sorted by key. Source: the structures in the Linux kernel's
// fs/reiserfs/reiserfs.h (removed in 6.13). All little endian.
enum class ItemType : std::uint8_t { stat = 0, indirect = 1, direct = 2, folder = 3, any = 15 };

// Keys of 3.5 and 3.6 in one form. An object is named by two numbers: the packing locality (its folder's, as a rule) and its own.
struct Key {
  std::uint32_t locality = 0, object = 0;
  std::uint64_t offset = 0;
  ItemType type = ItemType::stat;
  std::uint64_t id() const { return std::uint64_t{locality} << 32 | object; }
  friend auto operator<=>(const Key&, const Key&) = default;
};
Key key_of(std::uint64_t id, std::uint64_t offset, ItemType type);
inline constexpr std::uint64_t kRootId = std::uint64_t{1} << 32 | 2;

struct Item {
  Key key;
  std::uint32_t entries = 0;  // of a folder item
  ByteSpan body;              // valid until the cursor moves
  std::uint64_t place = 0;    // of the body on the partition
};

// A place in the tree; keeps one block for each level. One thread at a time.
class TreeCursor {
 public:
  TreeCursor(std::shared_ptr<Drive> drive, const Super& super) : drive_(std::move(drive)), super_(super) {}

  // To the last item at or before the key, or to the first one of the tree if there is none.
  Result<void> seek(const Key& key);
  // The item where it stands. Error{corrupt} if it does not lie in its block.
  Result<Item> item() const;
  // To the next item; false at the end of the tree. After an Error (a damaged block) the next call goes on behind it.
  Result<bool> advance();
  bool valid() const { return depth_ > 0 && levels_[depth_ - 1].leaf() && levels_[depth_ - 1].at < levels_[depth_ - 1].count; }
  // Blocks read so far: in a sound tree never more than it has, if one only advances.
  std::uint64_t blocks_read() const { return blocks_read_; }
  // The blocks of the tree that lead to the item.
  template <class Function>
  void for_each_block(Function function) const {
    for (std::size_t i = 0; i < depth_; ++i) function(levels_[i].block);
  }
  std::uint64_t leaf_block() const { return depth_ == 0 ? 0 : levels_[depth_ - 1].block; }

 private:
  static constexpr std::size_t kMaxLevels = 8;
  struct Level {
    std::uint64_t block = 0;  // 0: none
    Bytes raw;
    unsigned height = 0;  // 1: a leaf
    std::size_t count = 0, at = 0;  // items, or keys (one less than children); the chosen item or child
    bool leaf() const { return height == 1; }
  };
  Result<void> load(std::size_t index, std::uint64_t block);
  std::uint64_t child(const Level& level) const;
  Result<void> down_to_first();

  std::shared_ptr<Drive> drive_;
  Super super_;
  std::array<Level, kMaxLevels> levels_;
  std::size_t depth_ = 0;
  std::uint64_t blocks_read_ = 0;
};

}  // namespace tintype::reiserfs
