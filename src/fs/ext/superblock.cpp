// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/ext/superblock.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/text.h"
#include "fs/ext/checksum.h"

namespace tintype::ext {
namespace {

constexpr std::uint32_t kKnownIncompat =
    incompat::kFiletype | incompat::kRecover | incompat::kJournalDev | incompat::kMetaBg | incompat::kExtents |
    incompat::k64bit | incompat::kMmp | incompat::kFlexBg | incompat::kEaInode | incompat::kCsumSeed |
    incompat::kLargeDir | incompat::kInlineData | incompat::kEncrypt | incompat::kCasefold;
// A flag unknown here may change what a bitmap means, as bigalloc did, though it claims to be harmless to readers.
constexpr std::uint32_t kKnownRoCompat =
    ro_compat::kSparseSuper | ro_compat::kLargeFile | ro_compat::kBtreeDir | ro_compat::kHugeFile |
    ro_compat::kGdtCsum | ro_compat::kDirNlink | ro_compat::kExtraIsize | ro_compat::kQuota | ro_compat::kBigalloc |
    ro_compat::kMetadataCsum | ro_compat::kReadonly | ro_compat::kProject | ro_compat::kSharedBlocks |
    ro_compat::kVerity | ro_compat::kOrphanPresent;
constexpr std::uint32_t kMaxLogBlock = 6;     // 64 KiB
constexpr std::uint32_t kMaxLogCluster = 20;  // 1 GiB
constexpr std::uint32_t kMinGroupBlocks = 256;
constexpr std::size_t kChecksumAt = 0x3FC;

// ext2 and ext3 are what their own drivers can read and write; everything newer is ext4 (as blkid names them).
FsType type_of(std::uint32_t compat_flags, std::uint32_t incompat_flags, std::uint32_t ro_flags) {
  constexpr std::uint32_t kOldIncompat = incompat::kFiletype | incompat::kMetaBg | incompat::kRecover;
  constexpr std::uint32_t kOldRo = ro_compat::kSparseSuper | ro_compat::kLargeFile | ro_compat::kBtreeDir;
  if ((incompat_flags & ~kOldIncompat) != 0 || (ro_flags & ~kOldRo) != 0) return FsType::ext4;
  return (compat_flags & compat::kHasJournal) != 0 ? FsType::ext3 : FsType::ext2;
}

bool power_of(std::uint64_t group, std::uint64_t base) {
  while (group > 1 && group % base == 0) group /= base;
  return group == 1;
}

std::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::corrupt, fmt::format("the ext superblock is damaged: {}", what));
}

Result<void> check_features(const Super& super) {
  if (super.has_incompat(incompat::kJournalDev))
    return fail(ErrorCode::unsupported, "this is the external journal of an ext file system");
  if (const auto unknown = super.incompat & ~kKnownIncompat; unknown != 0)
    return fail(ErrorCode::unsupported, fmt::format("the ext file system has unknown features (incompatible {:#x})", unknown));
  if (const auto unknown = super.ro_compat & ~kKnownRoCompat; unknown != 0)
    return fail(ErrorCode::unsupported, fmt::format("the ext file system has unknown features (read-only {:#x})", unknown));
  return {};
}

Result<void> check_geometry(const Super& super) {
  const std::uint64_t bits_per_block = std::uint64_t{super.block_bytes} * 8;
  if (super.cluster_blocks == 0) return damaged("cluster size");
  if (super.blocks_per_group < kMinGroupBlocks || super.blocks_per_group % super.cluster_blocks != 0 ||
      super.blocks_per_group / super.cluster_blocks > bits_per_block)
    return damaged(fmt::format("{} blocks per group", super.blocks_per_group));
  if (super.first_data_block > 1 || (super.first_data_block == 1) != (super.block_bytes == 1024 && super.cluster_blocks == 1))
    return damaged(fmt::format("first data block {}", super.first_data_block));
  if (super.blocks <= super.first_data_block) return damaged("block count");
  if (super.inode_bytes < 128 || super.inode_bytes > super.block_bytes || !std::has_single_bit(super.inode_bytes))
    return damaged(fmt::format("inode size {}", super.inode_bytes));
  if (super.desc_bytes < 32 || super.desc_bytes > 1024 || !std::has_single_bit(super.desc_bytes) ||
      (super.has_incompat(incompat::k64bit) && super.desc_bytes < 64))
    return damaged(fmt::format("group descriptor size {}", super.desc_bytes));
  if (super.inodes_per_group == 0 || super.inodes_per_group > bits_per_block ||
      super.groups() > (std::uint64_t{1} << 32) || super.groups() * super.inodes_per_group != super.inodes)
    return damaged(fmt::format("{} inodes, {} per group", super.inodes, super.inodes_per_group));
  if (super.reserved_gdt_blocks > super.block_bytes / 4) return damaged("reserved descriptor blocks");
  if (super.has_incompat(incompat::kMetaBg) && super.first_meta_bg > super.desc_blocks())
    return damaged("first meta block group");
  return {};
}

}  // namespace

std::uint64_t Super::group_blocks(std::uint64_t group) const {
  return std::min<std::uint64_t>(blocks_per_group, blocks - group_first(group));
}

bool Super::has_super(std::uint64_t group) const {
  if (group == 0) return true;
  if (has_compat(compat::kSparseSuper2)) return group == backup_groups[0] || group == backup_groups[1];
  if (!has_ro_compat(ro_compat::kSparseSuper) || group == 1) return true;
  return power_of(group, 3) || power_of(group, 5) || power_of(group, 7);
}

std::uint64_t Super::desc_block_location(std::uint64_t index) const {
  if (!desc_block_in_meta_bg(index)) return super_block() + 1 + index;
  const std::uint64_t group = index * descs_per_block();
  // 1 KiB blocks with bigalloc: group 0 starts at block 0, the boot block, and the superblock is block 1.
  const std::uint64_t boot = group == 0 && first_data_block == 0 && block_bytes == 1024 ? 1 : 0;
  return group_first(group) + boot + (has_super(group) ? 1 : 0);
}

bool looks_like_super(ByteSpan raw) {
  return raw.size() >= kSuperBytes && le16(raw, 0x38) == 0xEF53 && le32(raw, 0x18) <= kMaxLogBlock &&
         (le32(raw, 0x04) != 0 || le32(raw, 0x150) != 0) && le32(raw, 0x4C) <= 1;
}

Super describe_super(ByteSpan raw) {
  Super super;
  super.compat = le32(raw, 0x5C);
  super.incompat = le32(raw, 0x60);
  super.ro_compat = le32(raw, 0x64);
  super.type = type_of(super.compat, super.incompat, super.ro_compat);
  super.label = utf8_checked(raw.subspan(0x78, 16));
  std::copy_n(raw.begin() + 0x68, 16, super.uuid_bytes.begin());
  if (!all_zero(super.uuid_bytes)) super.uuid = uuid_to_string(super.uuid_bytes);
  super.state = le16(raw, 0x3A);
  const std::uint32_t log_block = std::min(le32(raw, 0x18), kMaxLogBlock);
  super.block_bytes = 1024u << log_block;
  if (super.has_ro_compat(ro_compat::kBigalloc)) {
    const std::uint32_t log_cluster = le32(raw, 0x1C);
    super.cluster_blocks = log_cluster < log_block || log_cluster > kMaxLogCluster ? 0 : 1u << (log_cluster - log_block);
  }
  super.blocks = le32(raw, 0x04);
  super.free_blocks = le32(raw, 0x0C);
  if (super.has_incompat(incompat::k64bit)) {
    super.blocks |= std::uint64_t{le32(raw, 0x150)} << 32;
    super.free_blocks |= std::uint64_t{le32(raw, 0x158)} << 32;
    super.desc_bytes = le16(raw, 0xFE);
  }
  super.first_data_block = le32(raw, 0x14);
  super.blocks_per_group = le32(raw, 0x20);
  super.inodes_per_group = le32(raw, 0x28);
  super.inodes = le32(raw, 0x00);
  if (le32(raw, 0x4C) != 0) super.inode_bytes = le16(raw, 0x58);
  super.reserved_gdt_blocks = le16(raw, 0xCE);
  super.first_meta_bg = le32(raw, 0x104);
  super.backup_groups = {le32(raw, 0x24C), le32(raw, 0x250)};
  super.journal_inode = le32(raw, 0xE0);
  if (super.has_incompat(incompat::kMmp)) super.mmp_block = le64(raw, 0x168);
  if (super.has_compat(compat::kOrphanFile)) super.orphan_inode = le32(raw, 0x280);
  super.quota_inodes = {le32(raw, 0x240), le32(raw, 0x244), le32(raw, 0x26C)};
  super.external_journal = super.journal_inode == 0 && super.has_compat(compat::kHasJournal);
  super.csum_seed =
      super.has_incompat(incompat::kCsumSeed) ? le32(raw, 0x270) : crc32c(kCrcStart, super.uuid_bytes);
  return super;
}

Result<void> check_super(const Super& super, ByteSpan raw, bool verify_checksum) {
  if (verify_checksum && super.metadata_csum() &&
      (u8(raw, 0x175) != 1 || crc32c(kCrcStart, raw.first(kChecksumAt)) != le32(raw, kChecksumAt)))
    return damaged("its checksum is wrong");
  TRY(check_features(super));
  return check_geometry(super);
}

}  // namespace tintype::ext
