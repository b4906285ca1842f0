// SPDX-License-Identifier: GPL-3.0-or-later
// Extent trees and the older lists of direct and indirect blocks, walked with a stack of our own.
// Source: kernel documentation, "ext4 Data Structures and Algorithms", sections Inode Table, Extent Tree,
// Direct/Indirect Block Addressing.
#include "fs/ext/inode_blocks.h"

#include <fmt/format.h>

#include <algorithm>

#include "fs/ext/groups.h"

namespace tintype::ext {
namespace {

constexpr std::size_t kMaxRuns = 1 << 18;
constexpr std::size_t kMaxNodes = 1 << 16;  // a dozen suffice for a 1 GiB journal unless it is badly fragmented
constexpr std::uint16_t kExtentMagic = 0xF30A;
constexpr std::uint32_t kExtentsFlag = 0x80000;
constexpr unsigned kMaxDepth = 5;

class Walker {
 public:
  Walker(Drive& drive, const Super& super, std::uint64_t max_blocks)
      : drive_(drive), super_(super), max_blocks_(max_blocks) {}

  Result<std::vector<FileRun>> extents(ByteSpan root) {
    TRY(push_extent_node(Bytes(root.begin(), root.end()), kMaxDepth + 1));
    while (!stack_.empty()) {
      Node& node = stack_.back();
      if (node.next == node.entries) {
        stack_.pop_back();
        continue;
      }
      const std::size_t at = 12 + 12 * node.next++;
      const ByteSpan raw = node.raw;
      if (node.depth == 0) {
        // A length above 32768 marks blocks not yet written; they are allocated all the same.
        const std::uint32_t length = le16(raw, at + 4);
        const std::uint64_t start = std::uint64_t{le16(raw, at + 6)} << 32 | le32(raw, at + 8);
        TRY(add(le32(raw, at), start, length > 32768 ? length - 32768 : length));
        continue;
      }
      const std::uint64_t child = std::uint64_t{le16(raw, at + 8)} << 32 | le32(raw, at + 4);
      const unsigned depth = node.depth;
      Bytes node_bytes = TRY(read_node(child));
      TRY(push_extent_node(std::move(node_bytes), depth));
    }
    return finish();
  }

  Result<std::vector<FileRun>> indirect(ByteSpan pointers) {
    for (std::size_t i = 0; i < 12; ++i) TRY(add_next(le32(pointers, 4 * i)));
    for (unsigned level = 1; level <= 3; ++level) {
      const std::uint32_t top = le32(pointers, 4 * (11 + level));
      if (top == 0) break;
      stack_.push_back({TRY(read_node(top)), 0, super_.block_bytes / 4, level - 1});
      while (!stack_.empty()) {
        Node& node = stack_.back();
        if (node.next == node.entries) {
          stack_.pop_back();
          continue;
        }
        const std::uint32_t pointer = le32(node.raw, 4 * node.next++);
        const unsigned depth = node.depth;
        if (depth == 0)
          TRY(add_next(pointer));
        else if (pointer != 0)
          stack_.push_back({TRY(read_node(pointer)), 0, super_.block_bytes / 4, depth - 1});
        else
          ended_ = true;
      }
    }
    return finish();
  }

 private:
  struct Node {
    Bytes raw;
    std::size_t next = 0, entries = 0;
    unsigned depth = 0;
  };

  static std::unexpected<Error> damaged(std::string_view what) {
    return fail(ErrorCode::corrupt, fmt::format("the journal's inode is damaged: {}", what));
  }

  Result<Bytes> read_node(std::uint64_t block) {
    if (++nodes_ > kMaxNodes) return damaged("too many index blocks");
    if (block <= super_.super_block() || block >= super_.blocks) return damaged("an index block outside the file system");
    Bytes raw(super_.block_bytes);
    TRY(drive_.read(block * super_.block_bytes, raw));
    return raw;
  }

  Result<void> push_extent_node(Bytes raw, unsigned below_depth) {
    const std::size_t room = (raw.size() - 12) / 12;
    const std::size_t entries = le16(raw, 2);
    const unsigned depth = le16(raw, 6);
    if (le16(raw, 0) != kExtentMagic || entries > room || depth >= below_depth ||
        (!stack_.empty() && depth + 1 != below_depth))
      return damaged("an extent block");
    stack_.push_back({std::move(raw), 0, entries, depth});
    return {};
  }

  Result<void> add_next(std::uint32_t pointer) {
    if (pointer == 0) {
      ended_ = true;
      return {};
    }
    if (ended_) return file_blocks_ >= max_blocks_ ? Result<void>{} : damaged("a gap");
    return add(file_blocks_, pointer, 1);
  }

  Result<void> add(std::uint64_t file_block, std::uint64_t drive_block, std::uint64_t count) {
    if (file_blocks_ >= max_blocks_) return {};
    if (count == 0 || file_block != file_blocks_) return damaged("a gap");
    if (drive_block <= super_.super_block() || !fits(drive_block, count, super_.blocks))
      return damaged("a block outside the file system");
    file_blocks_ += count;
    if (!runs_.empty() && runs_.back().drive_block + runs_.back().count == drive_block) {
      runs_.back().count += count;
      return {};
    }
    if (runs_.size() == kMaxRuns) return damaged("too many pieces");
    runs_.push_back({file_block, drive_block, count});
    return {};
  }

  Result<std::vector<FileRun>> finish() {
    if (runs_.empty()) return damaged("it has no blocks");
    return std::move(runs_);
  }

  Drive& drive_;
  const Super& super_;
  std::uint64_t max_blocks_;
  std::uint64_t file_blocks_ = 0;
  bool ended_ = false;
  std::size_t nodes_ = 0;
  std::vector<Node> stack_;
  std::vector<FileRun> runs_;
};

}  // namespace

Result<std::vector<FileRun>> blocks_of_inode(Drive& drive, const Super& super, std::uint32_t inode,
                                             std::uint64_t max_blocks, bool verify_checksums) {
  if (inode == 0 || inode > super.inodes) return fail(ErrorCode::corrupt, "the journal's inode does not exist");
  const std::uint64_t group = (inode - 1) / super.inodes_per_group;
  const std::uint64_t within = (inode - 1) % super.inodes_per_group;
  const Group home = TRY(read_groups(drive, super, group, 1, verify_checksums)).front();
  Bytes raw(128);
  TRY(drive.read(home.inode_table * super.block_bytes + within * super.inode_bytes, raw));
  if ((le16(raw, 0) & 0xF000) != 0x8000 || le16(raw, 0x1A) == 0)
    return fail(ErrorCode::corrupt, "the journal's inode is not a file");
  Walker walker(drive, super, max_blocks);
  const ByteSpan map = ByteSpan(raw).subspan(0x28, 60);
  return (le32(raw, 0x20) & kExtentsFlag) != 0 ? walker.extents(map) : walker.indirect(map);
}

}  // namespace tintype::ext
