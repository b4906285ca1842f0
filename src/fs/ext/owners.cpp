// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/ext/owners.h"

#include <fmt/format.h>

#include <algorithm>

#include "fs/bit_runs.h"
#include "fs/ext/block_map.h"
#include "fs/ext/directory.h"
#include "fs/owner_list.h"

namespace tintype::ext {
namespace {

using Kind = ByteOwner::Kind;
constexpr std::uint64_t kGroupsAtOnce = 1024;
constexpr std::uint64_t kTableBytes = 1 << 20;  // of an inode table at a time
constexpr std::uint32_t kFirstFreeInode = 11;

class Survey {
 public:
  Survey(const std::shared_ptr<Drive>& drive, const Super& super, const ExtentSet& bytes)
      : drive_(drive), super_(super), list_(bytes, drive->size_bytes()), inodes_(drive, super) {}

  Result<std::vector<ByteOwner>> run() {
    if (list_.asked().empty()) return std::vector<ByteOwner>{};
    claim_fixed_places();
    for_each_group([this](std::uint64_t number, const Group& group) { claim_metadata(number, group); });
    budget_ = super_.blocks;
    for_each_inode([this](const Inode& inode) { look_for_bytes(inode); });
    if (!found_.empty()) {
      budget_ = super_.blocks;
      unnamed_ = found_.size();
      for_each_inode([this](const Inode& inode) { look_for_names(inode); });
    }
    claim_by_path(list_, found_, climb());
    claim_rest();
    return list_.take();
  }

 private:
  Extent bytes_of(Blocks run) const { return {run.first * super_.block_bytes, run.count * super_.block_bytes}; }
  void claim(const std::string& what, Blocks run) { list_.claim(Kind::structure, what, bytes_of(run)); }

  void claim_fixed_places() {
    list_.claim(Kind::structure, "the boot area", {0, kSuperOffset});
    list_.claim(Kind::structure, "the superblock", {kSuperOffset, kSuperBytes});
    if (super_.mmp_block != 0 && super_.mmp_block < super_.blocks) claim("the multiple mount protection block", {super_.mmp_block, 1});
    if (super_.bytes() < drive_->size_bytes())
      list_.claim(Kind::structure, "the space behind the file system", {super_.bytes(), drive_->size_bytes() - super_.bytes()});
  }

  template <class Function>
  void for_each_group(Function function) {
    for (std::uint64_t first = 0; first < super_.groups(); first += kGroupsAtOnce) {
      const std::uint64_t count = std::min(kGroupsAtOnce, super_.groups() - first);
      if (const auto groups = read_groups(*drive_, super_, first, count, false)) {
        for (std::uint64_t i = 0; i < count; ++i) function(first + i, (*groups)[i]);
        continue;
      }
      for (std::uint64_t i = 0; i < count; ++i)  // all but the damaged ones
        if (const auto group = read_groups(*drive_, super_, first + i, 1, false)) function(first + i, group->front());
    }
  }

  void claim_metadata(std::uint64_t number, const Group& group) {
    if (super_.has_super(number) && number != 0)
      claim(fmt::format("the copy of the superblock in group {}", number), {super_.group_first(number), 1});
    for (const Blocks& run : fixed_metadata(super_, number)) {
      // The first block of the first run is the superblock's, if the group has one; it was named above.
      const bool after_super = super_.has_super(number) && run.first <= std::max(super_.group_first(number), super_.super_block());
      const std::uint64_t skip = after_super ? 1 : 0;
      if (run.count > skip)
        claim(fmt::format("the group descriptors in group {}", number),
              {run.first + skip, std::min(run.count, super_.blocks - std::min(run.first, super_.blocks)) - skip});
    }
    claim(fmt::format("the block bitmap of group {}", number), {group.block_bitmap, 1});
    claim(fmt::format("the inode bitmap of group {}", number), {group.inode_bitmap, 1});
    claim(fmt::format("the inode table of group {}", number), {group.inode_table, super_.inode_table_blocks()});
  }

  // In the order of the drive, in large pieces; the part of a table that was never used is left out.
  template <class Function>
  void for_each_inode(Function function) {
    Bytes table;
    for_each_group([&](std::uint64_t number, const Group& group) {
      const std::uint64_t bytes = std::uint64_t{group.inodes_in_table} * super_.inode_bytes;
      for (std::uint64_t at = 0; at < bytes; at += table.size()) {
        table.resize(static_cast<std::size_t>(std::min(kTableBytes, bytes - at)));
        const std::uint64_t first = number * super_.inodes_per_group + at / super_.inode_bytes + 1;
        read_what_can_be(group.inode_table * super_.block_bytes + at, table);
        for (std::size_t i = 0; i < table.size(); i += super_.inode_bytes) {
          if (le16(table, i) == 0 || le16(table, i + 0x1A) == 0) continue;
          const auto from = table.begin() + static_cast<std::ptrdiff_t>(i);
          function(Inode(super_, static_cast<std::uint32_t>(first + i / super_.inode_bytes), Bytes(from, from + super_.inode_bytes)));
        }
      }
    });
  }

  // The drive has bad sectors: that is why somebody asks. What is lost reads as zeros: as inodes not in use.
  void read_what_can_be(std::uint64_t offset, MutableByteSpan out) {
    if (drive_->read(offset, out)) return;
    for (std::size_t at = 0; at < out.size(); at += super_.block_bytes) {
      const MutableByteSpan part = out.subspan(at, std::min<std::size_t>(super_.block_bytes, out.size() - at));
      if (!drive_->read(offset + at, part)) std::fill(part.begin(), part.end(), std::byte{0});
    }
  }

  void look_for_bytes(const Inode& inode) {
    const std::string system = system_name(inode);
    const auto take = [&](Blocks run) {
      if (system.empty())
        found_.add(list_, inode.number(), inode.is_folder(), bytes_of(run));
      else
        claim(system, run);
    };
    if (const std::uint64_t block = inode.attribute_block(); block > super_.super_block() && block < super_.blocks) take({block, 1});
    if (has_blocks(inode)) for_each_block(*drive_, super_, inode, budget_, take);
  }

  static bool has_blocks(const Inode& inode) {
    const std::optional<NodeKind> kind = inode.kind();
    if (inode.number() < kFirstFreeInode && !kind) return true;  // that of bad blocks has no type
    const bool holds = kind == NodeKind::file || kind == NodeKind::folder || kind == NodeKind::symlink;
    return holds && !inode.has(kInlineFlag) && !inode.target_in_inode();
  }

  // Inodes that no folder names.
  std::string system_name(const Inode& inode) const {
    const std::uint32_t number = inode.number();
    if (number == super_.journal_inode) return "the journal";
    if (number == 1) return "the list of bad blocks";
    if (number == 7) return "the blocks reserved for group descriptors";
    if (number == super_.orphan_inode) return "the list of orphans";
    for (std::size_t i = 0; i < super_.quota_inodes.size(); ++i)
      if (number == super_.quota_inodes[i] && number != 0) return fmt::format("the quotas of {}", std::array{"users", "groups", "projects"}[i]);
    if (inode.has(kEaInodeFlag)) return "extended attributes";
    return {};
  }

  void look_for_names(const Inode& folder) {
    if (!folder.is_folder() || unnamed_ == 0 || budget_ == 0) return;
    (void)for_each_entry(drive_, super_, folder, [&](std::uint32_t inode, std::string_view name) {
      if (name == "." || name == "..") return true;
      const auto file = found_.find(inode);
      if (file == found_.end() || file->second.named) return true;
      file->second.named = true;
      file->second.parent = folder.number();
      file->second.name = name;
      return --unnamed_ != 0;
    });
    // Folders that share blocks must not make this long: each step costs what the folder claims to have.
    budget_ -= std::min(budget_, div_round_up(std::min(folder.size_bytes(), super_.bytes()), super_.block_bytes));
  }

  FolderClimb climb() {
    FolderClimb out;
    out.root = kRootInode;
    out.list = [this](std::uint64_t folder, const FolderClimb::Visit& visit) {
      const auto inode = inodes_.read(static_cast<std::uint32_t>(folder));
      if (!inode || !inode->is_folder()) return;
      (void)for_each_entry(drive_, super_, *inode, [&](std::uint32_t id, std::string_view name) {
        return name == "." || name == ".." || visit(id, name);
      });
    };
    out.parent_of = [this](std::uint64_t folder) -> std::optional<std::uint64_t> {
      const auto inode = inodes_.read(static_cast<std::uint32_t>(folder));
      std::optional<std::uint64_t> parent;
      if (inode && inode->is_folder())
        (void)for_each_entry(drive_, super_, *inode, [&](std::uint32_t id, std::string_view name) {
          if (name == "..") parent = id;
          return name != "..";
        });
      return parent;
    };
    return out;
  }

  // What nobody claimed: free by the bitmaps, or in use without an owner.
  void claim_rest() {
    Bytes bitmap(round_up(super_.block_bytes, 8));
    std::uint64_t loaded = ~0ull;
    bool known = false;
    const ExtentSet unclaimed = list_.unclaimed();
    for (const Extent& rest : unclaimed.items()) {
      for (std::uint64_t at = rest.start; at < rest.end();) {
        const std::uint64_t block = at / super_.block_bytes;
        if (block < super_.first_data_block || block >= super_.blocks) break;
        const std::uint64_t number = super_.group_of(block);
        if (number != loaded) {
          known = load_bitmap(number, bitmap);
          loaded = number;
        }
        const std::uint64_t first = super_.group_first(number), count = super_.group_blocks(number);
        const std::uint64_t bits = div_round_up(count, super_.cluster_blocks);
        std::uint64_t bit = (block - first) / super_.cluster_blocks;
        const auto set = [&](std::uint64_t i) { return (u8(bitmap, i / 8) >> (i % 8) & 1) != 0; };
        const bool used = known && set(bit);
        while (bit < bits && (!known || set(bit) == used) && (first + bit * super_.cluster_blocks) * super_.block_bytes < rest.end()) ++bit;
        const std::uint64_t end = std::min((first + std::min(bit * super_.cluster_blocks, count)) * super_.block_bytes, rest.end());
        if (!known)
          list_.claim(Kind::structure, "blocks of which the bitmap cannot be read", {at, end - at});
        else
          list_.claim(used ? Kind::structure : Kind::free_space, used ? "blocks in use that belong to no file" : "free space", {at, end - at});
        at = end;
      }
    }
  }

  bool load_bitmap(std::uint64_t number, Bytes& out) {
    std::fill(out.begin(), out.end(), std::byte{0});
    const auto group = read_groups(*drive_, super_, number, 1, false);
    if (!group) return false;
    if (group->front().bitmap_uninit) return true;  // only metadata, which has been claimed
    return drive_->read(group->front().block_bitmap * super_.block_bytes, MutableByteSpan(out).first(super_.block_bytes)).has_value();
  }

  const std::shared_ptr<Drive>& drive_;
  const Super& super_;
  OwnerList list_;
  InodeReader inodes_;
  FoundFiles found_;
  std::size_t unnamed_ = 0;
  std::uint64_t budget_ = 0;
};

}  // namespace

Result<std::vector<ByteOwner>> owners_of(const std::shared_ptr<Drive>& drive, const Super& super, const ExtentSet& bytes) {
  return Survey(drive, super, bytes).run();
}

}  // namespace tintype::ext
