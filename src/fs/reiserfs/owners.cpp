// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/reiserfs/owners.h"

#include <algorithm>

#include "fs/owner_list.h"
#include "fs/reiserfs/objects.h"

namespace tintype::reiserfs {
namespace {

using Kind = ByteOwner::Kind;

class Survey {
 public:
  Survey(const std::shared_ptr<Drive>& drive, const Super& super, const ExtentSet& bytes)
      : drive_(drive), super_(super), list_(bytes, drive->size_bytes()) {}

  std::vector<ByteOwner> run() {
    if (list_.asked().empty()) return {};
    claim_fixed_places();
    for_each_item([this](const Item& item) { look_for_bytes(item); }, true);
    if (!found_.empty()) for_each_item([this](const Item& item) { look_for_names(item); }, false);
    claim_by_path(list_, found_, climb());
    claim_rest();
    return list_.take();
  }

 private:
  Extent blocks(std::uint64_t first, std::uint64_t count) const { return {first * super_.block_bytes, count * super_.block_bytes}; }

  void claim_fixed_places() {
    list_.claim(Kind::structure, "the boot area", {0, super_.place});
    list_.claim(Kind::structure, "the superblock", {super_.place, super_.block_bytes});
    if (super_.journal_blocks != 0) list_.claim(Kind::structure, "the journal", blocks(super_.journal_first, super_.journal_blocks));
    for (std::uint64_t i = 0; i < super_.bitmaps(); ++i) list_.claim(Kind::structure, "the block bitmap", blocks(super_.bitmap_block(i), 1));
    if (super_.bytes() < drive_->size_bytes())
      list_.claim(Kind::structure, "the space behind the file system", {super_.bytes(), drive_->size_bytes() - super_.bytes()});
  }

  // All items in their order; damaged blocks are passed over. No sound tree has more blocks than its file system.
  template <class Function>
  void for_each_item(Function function, bool claim_tree) {
    TreeCursor cursor(drive_, super_);
    if (!cursor.seek(Key{})) return;
    std::uint64_t leaf = 0;
    for (bool more = cursor.valid(); more && cursor.blocks_read() <= super_.blocks;) {
      if (claim_tree && cursor.leaf_block() != leaf) cursor.for_each_block([this](std::uint64_t block) { list_.claim(Kind::structure, "the tree", blocks(block, 1)); });
      leaf = cursor.leaf_block();
      if (const Result<Item> item = cursor.item()) function(*item);
      Result<bool> next = cursor.advance();
      while (!next && cursor.blocks_read() <= super_.blocks) next = cursor.advance();
      more = next && *next;
    }
  }

  void look_for_bytes(const Item& item) {
    const auto take = [&](const Extent& bytes) { found_.add(list_, item.key.id(), item.key.type == ItemType::folder, bytes); };
    if (item.key.type == ItemType::direct || item.key.type == ItemType::folder) take({item.place, item.body.size()});
    if (item.key.type != ItemType::indirect) return;
    const std::size_t count = item.body.size() / 4;
    for (std::size_t i = 0; i < count;) {
      const std::uint64_t first = le32(item.body, 4 * i);
      std::size_t n = 1;
      while (first != 0 && i + n < count && le32(item.body, 4 * (i + n)) == first + n) ++n;
      if (first != 0 && fits(first, n, super_.blocks)) take(blocks(first, n));
      i += n;
    }
  }

  void look_for_names(const Item& item) {
    if (item.key.type != ItemType::folder) return;
    (void)entries_of(item, [&](std::uint64_t id, std::string_view name) {
      const auto file = found_.find(id);
      if (name == "." || name == ".." || file == found_.end() || file->second.named) return true;
      file->second.named = true;
      file->second.parent = item.key.id();
      file->second.name = name;
      return true;
    });
  }

  FolderClimb climb() {
    FolderClimb out;
    out.root = kRootId;
    out.list = [this](std::uint64_t folder, const FolderClimb::Visit& visit) {
      TreeCursor cursor(drive_, super_);
      (void)for_each_entry(cursor, folder, [&](std::uint64_t id, std::string_view name) {
        return name == "." || name == ".." || visit(id, name);
      });
    };
    out.parent_of = [this](std::uint64_t folder) -> std::optional<std::uint64_t> {
      std::optional<std::uint64_t> parent;
      TreeCursor cursor(drive_, super_);
      (void)for_each_entry(cursor, folder, [&](std::uint64_t id, std::string_view name) {
        if (name == "..") parent = id;
        return name != "..";
      });
      return parent;
    };
    return out;
  }

  void claim_rest() {
    const ExtentSet rest = list_.unclaimed();
    Bytes bitmap(super_.block_bytes);
    std::uint64_t loaded = ~0ull;
    bool known = false;
    for (const Extent& piece : rest.items()) {
      std::uint64_t at = piece.start;
      while (at < piece.end() && at < super_.bytes()) {
        const std::uint64_t block = at / super_.block_bytes, index = block / super_.blocks_per_bitmap();
        if (index != loaded) {
          known = drive_->read(super_.bitmap_block(index) * super_.block_bytes, bitmap).has_value();
          loaded = index;
        }
        const std::uint64_t bit = block % super_.blocks_per_bitmap(), end = std::min((block + 1) * super_.block_bytes, piece.end());
        const bool used = (u8(bitmap, static_cast<std::size_t>(bit / 8)) >> (bit % 8) & 1) != 0;
        list_.claim(known && !used ? Kind::free_space : Kind::structure,
                    !known ? "blocks of which the bitmap cannot be read"
                    : used ? "blocks in use that belong to no file"
                           : "free space",
                    {at, end - at});
        at = end;
      }
    }
  }

  const std::shared_ptr<Drive>& drive_;
  const Super& super_;
  OwnerList list_;
  FoundFiles found_;
};

}  // namespace

Result<std::vector<ByteOwner>> owners_of(const std::shared_ptr<Drive>& drive, const Super& super, const ExtentSet& bytes) {
  return Survey(drive, super, bytes).run();
}

}  // namespace tintype::reiserfs
