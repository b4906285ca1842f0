// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "fs/filesystem.h"

namespace tintype::ext {

// The superblock of ext2/3/4: 1024 bytes at byte 1024 of the partition, little endian.
// Source of all offsets and flags here: Linux kernel documentation, "ext4 Data Structures and Algorithms"
// (Super Block, Block Group Descriptors, Bigalloc, Meta Block Groups), and the features mke2fs(8) names.
inline constexpr std::uint64_t kSuperOffset = 1024;
inline constexpr std::size_t kSuperBytes = 1024;

namespace compat {
inline constexpr std::uint32_t kHasJournal = 0x4, kSparseSuper2 = 0x200, kOrphanFile = 0x1000;
}
namespace incompat {
inline constexpr std::uint32_t kFiletype = 0x2, kRecover = 0x4, kJournalDev = 0x8, kMetaBg = 0x10, kExtents = 0x40,
                               k64bit = 0x80, kMmp = 0x100, kFlexBg = 0x200, kEaInode = 0x400, kCsumSeed = 0x2000,
                               kLargeDir = 0x4000, kInlineData = 0x8000, kEncrypt = 0x10000, kCasefold = 0x20000;
}
namespace ro_compat {
inline constexpr std::uint32_t kSparseSuper = 0x1, kLargeFile = 0x2, kBtreeDir = 0x4, kHugeFile = 0x8, kGdtCsum = 0x10,
                               kDirNlink = 0x20, kExtraIsize = 0x40, kQuota = 0x100, kBigalloc = 0x200,
                               kMetadataCsum = 0x400, kReadonly = 0x1000, kProject = 0x2000, kSharedBlocks = 0x4000,
                               kVerity = 0x8000, kOrphanPresent = 0x10000;
}
namespace state {
inline constexpr std::uint16_t kValid = 1, kErrors = 2, kOrphans = 4;
}

// Where things are. Block numbers count from the start of the partition; "group" is a block group.
struct Super {
  FsType type = FsType::ext2;
  std::string label, uuid;
  std::array<std::byte, 16> uuid_bytes{};
  std::uint32_t compat = 0, incompat = 0, ro_compat = 0;
  std::uint16_t state = 0;
  std::uint32_t block_bytes = 0;
  std::uint32_t cluster_blocks = 1;  // blocks per bit of a block bitmap; more than 1 with bigalloc
  std::uint64_t blocks = 0, free_blocks = 0;
  std::uint32_t first_data_block = 0;
  std::uint32_t blocks_per_group = 0, inodes_per_group = 0, inodes = 0;
  std::uint32_t inode_bytes = 128, desc_bytes = 32;
  std::uint32_t reserved_gdt_blocks = 0, first_meta_bg = 0;
  std::array<std::uint32_t, 2> backup_groups{};
  std::uint32_t journal_inode = 0;
  bool external_journal = false;
  std::uint32_t csum_seed = 0;
  std::uint64_t mmp_block = 0;     // 0: none
  std::uint32_t orphan_inode = 0;  // the file of orphans; 0: none
  std::array<std::uint32_t, 3> quota_inodes{};  // of users, groups, projects; 0: none

  bool has_compat(std::uint32_t flag) const { return (compat & flag) != 0; }
  bool has_incompat(std::uint32_t flag) const { return (incompat & flag) != 0; }
  bool has_ro_compat(std::uint32_t flag) const { return (ro_compat & flag) != 0; }
  bool metadata_csum() const { return has_ro_compat(ro_compat::kMetadataCsum); }
  // Descriptors carry a checksum, so their "uninitialised" flags count.
  bool group_csum() const { return has_ro_compat(ro_compat::kMetadataCsum | ro_compat::kGdtCsum); }

  std::uint64_t groups() const { return div_round_up(blocks - first_data_block, blocks_per_group); }
  std::uint64_t group_first(std::uint64_t group) const { return first_data_block + group * blocks_per_group; }
  std::uint64_t group_blocks(std::uint64_t group) const;
  std::uint64_t group_of(std::uint64_t block) const { return (block - first_data_block) / blocks_per_group; }
  bool has_super(std::uint64_t group) const;  // a copy of the superblock starts this group
  std::uint64_t super_block() const { return kSuperOffset / block_bytes; }

  std::uint64_t descs_per_block() const { return block_bytes / desc_bytes; }
  std::uint64_t desc_blocks() const { return div_round_up(groups(), descs_per_block()); }
  bool desc_block_in_meta_bg(std::uint64_t index) const {
    return has_incompat(incompat::kMetaBg) && index >= first_meta_bg;
  }
  std::uint64_t desc_block_location(std::uint64_t index) const;  // of the primary copy
  std::uint64_t inode_table_blocks() const {
    return div_round_up(std::uint64_t{inodes_per_group} * inode_bytes, block_bytes);
  }
  std::uint64_t bytes() const { return blocks * block_bytes; }
};

// True if the 1024 bytes can be a superblock at all: the magic number is only 16 bits.
bool looks_like_super(ByteSpan raw);
// Names, type and counts, with nothing checked: what can be said of a damaged one.
Super describe_super(ByteSpan raw);
// What is wrong with it as a guide to the bitmaps: Error{corrupt} or Error{unsupported}.
Result<void> check_super(const Super& super, ByteSpan raw, bool verify_checksum);

}  // namespace tintype::ext
