// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "drive/drive.h"
#include "fs/ext/groups.h"
#include "fs/ext/superblock.h"
#include "fs/file_tree.h"

namespace tintype::ext {

inline constexpr std::uint32_t kRootInode = 2;

// Bits of an inode's flags.
enum InodeFlag : std::uint32_t {
  kEncryptedFlag = 0x800,
  kHugeFileFlag = 0x40000,  // blocks are counted in blocks of the file system
  kExtentsFlag = 0x80000,
  kEaInodeFlag = 0x200000,  // holds the value of an extended attribute of another inode
  kInlineFlag = 0x10000000,
};

// An inode as it stands on the drive. Source: kernel documentation, "ext4 Data Structures and Algorithms", sections Index Nodes,
// Inode Timestamps, Inline Data; extended attributes as in section Extended Attributes.
class Inode {
 public:
  Inode(const Super& super, std::uint32_t number, Bytes raw) : super_(&super), number_(number), raw_(std::move(raw)) {}

  std::uint32_t number() const { return number_; }
  std::uint16_t mode() const { return le16(raw_, 0); }
  std::uint32_t links() const { return le16(raw_, 0x1A); }
  std::uint32_t flags() const { return le32(raw_, 0x20); }
  bool has(InodeFlag flag) const { return (flags() & flag) != 0; }
  // Allocated and not deleted; the file's bytes may still be in use by nobody else if it is false.
  bool in_use() const { return mode() != 0 && links() != 0; }
  std::optional<NodeKind> kind() const;  // empty: none of the known ones
  bool is_folder() const { return (mode() & 0xF000) == 0x4000; }
  std::uint64_t size_bytes() const;
  std::uint64_t stored_bytes() const;
  std::uint64_t attribute_block() const;  // 0: none
  ByteSpan block_map() const { return ByteSpan(raw_).subspan(0x28, 60); }
  // True if a link's target stands in the place of the block map.
  bool target_in_inode() const;
  // The two parts of content that lies inside the inode: the place of the block map, then a value among the attributes.
  // Error{corrupt} if that value is said to be where it cannot be.
  Result<std::pair<ByteSpan, ByteSpan>> inline_parts() const;

  FileNode node(std::string name) const;

 private:
  FileTime time(std::size_t at, std::size_t extra_at) const;
  std::size_t extra_bytes() const;

  const Super* super_;
  std::uint32_t number_;
  Bytes raw_;
};

// Reads inodes by number; keeps a few blocks of inode tables and some descriptors. One thread at a time.
class InodeReader {
 public:
  InodeReader(std::shared_ptr<Drive> drive, const Super& super) : drive_(std::move(drive)), super_(super) {}
  // Error{corrupt} if there can be no such inode. Whether it is in use is not looked at.
  Result<Inode> read(std::uint32_t number);

 private:
  struct Block {
    std::uint64_t number = 0;  // 0: none
    Bytes bytes;
  };
  Result<std::uint64_t> table_of(std::uint64_t group);

  std::shared_ptr<Drive> drive_;
  Super super_;
  std::uint64_t first_group_ = 0;
  std::vector<Group> groups_;  // a stretch of descriptors from first_group_ on
  std::array<Block, 32> blocks_;
};

}  // namespace tintype::ext
