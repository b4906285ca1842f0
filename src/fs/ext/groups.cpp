// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/ext/groups.h"

#include <fmt/format.h>

#include <algorithm>

#include "fs/ext/checksum.h"

namespace tintype::ext {
namespace {

constexpr std::uint64_t kSurveyBytes = 1 << 20;  // of descriptors at a time
constexpr std::size_t kMaxForeignPieces = 1 << 20;  // 16 MiB; a volume of 8 TiB has some 10,000

std::unexpected<Error> damaged_group(std::uint64_t group, std::string_view what) {
  return fail(ErrorCode::corrupt, fmt::format("the descriptor of ext block group {} is damaged: {}", group, what));
}

// Descriptor checksums: kernel documentation, "Block Group Descriptors" and "Checksums".
std::uint16_t desc_checksum(const Super& super, std::uint64_t group, ByteSpan raw) {
  const auto number = static_cast<std::uint32_t>(group);
  constexpr std::array<std::byte, 2> kEmptyField{};
  const ByteSpan behind = raw.subspan(0x20);
  if (super.metadata_csum()) {
    std::uint32_t crc = crc32c(crc32c_le32(super.csum_seed, number), raw.first(0x1E));
    crc = crc32c(crc32c(crc, kEmptyField), behind);
    return static_cast<std::uint16_t>(crc);
  }
  std::array<std::byte, 4> number_bytes{};
  store_le<std::uint32_t>(number_bytes, 0, number);
  return crc16(crc16(crc16(crc16(0xFFFF, super.uuid_bytes), number_bytes), raw.first(0x1E)), behind);
}

Result<Group> parse(const Super& super, std::uint64_t number, ByteSpan raw, bool verify) {
  if (verify && super.group_csum() && desc_checksum(super, number, raw) != le16(raw, 0x1E))
    return damaged_group(number, "its checksum is wrong");
  Group group;
  group.block_bitmap = le32(raw, 0x00);
  group.inode_bitmap = le32(raw, 0x04);
  group.inode_table = le32(raw, 0x08);
  group.free_clusters = le16(raw, 0x0C);
  group.bitmap_uninit = super.group_csum() && (le16(raw, 0x12) & 2) != 0;
  group.bitmap_csum = le16(raw, 0x18);
  std::uint32_t never_used = le16(raw, 0x1C);
  if (raw.size() >= 64) {
    group.block_bitmap |= std::uint64_t{le32(raw, 0x20)} << 32;
    group.inode_bitmap |= std::uint64_t{le32(raw, 0x24)} << 32;
    group.inode_table |= std::uint64_t{le32(raw, 0x28)} << 32;
    group.free_clusters |= std::uint32_t{le16(raw, 0x2C)} << 16;
    group.bitmap_csum |= std::uint32_t{le16(raw, 0x38)} << 16;
    never_used |= std::uint32_t{le16(raw, 0x32)} << 16;
  }
  // Both marks count only with a checksum over them.
  if (!super.group_csum()) never_used = 0;
  const bool none_used = super.group_csum() && (le16(raw, 0x12) & 1) != 0;
  group.inodes_in_table = none_used || never_used > super.inodes_per_group ? 0 : super.inodes_per_group - never_used;
  for (const Blocks& run : own_metadata(super, group))
    if (run.first <= super.super_block() || !fits(run.first, run.count, super.blocks))
      return damaged_group(number, fmt::format("block {} lies outside the file system", run.first));
  return group;
}

void add_clipped(std::vector<Extent>& out, const Super& super, const Blocks& run, std::uint64_t home) {
  const std::uint64_t first = super.group_first(home);
  if (run.first >= first && run.first + run.count <= first + super.group_blocks(home)) return;
  const Extent bytes{run.first * super.block_bytes, run.count * super.block_bytes};
  if (!out.empty() && out.back().end() == bytes.start)
    out.back().length += bytes.length;
  else
    out.push_back(bytes);
}

}  // namespace

Result<std::vector<Group>> read_groups(Drive& drive, const Super& super, std::uint64_t first, std::uint64_t count,
                                       bool verify_checksums) {
  std::vector<Group> groups;
  if (!fits(first, count, super.groups())) return fail(ErrorCode::corrupt, "an ext block group does not exist");
  groups.reserve(count);
  const std::uint64_t per_block = super.descs_per_block();
  Bytes raw;
  for (std::uint64_t number = first; number < first + count;) {
    const std::uint64_t index = number / per_block;
    const std::uint64_t last_index = (first + count - 1) / per_block;
    // Blocks that follow each other on the drive come in one request; with meta_bg each lies in a place of its own.
    std::uint64_t run = 1;
    while (index + run <= last_index && !super.desc_block_in_meta_bg(index + run)) ++run;
    raw.resize(run * super.block_bytes);
    const std::uint64_t location = super.desc_block_location(index);
    if (!fits(location, run, super.blocks))
      return fail(ErrorCode::corrupt, "ext group descriptors lie outside the file system");
    TRY(drive.read(location * super.block_bytes, raw));
    for (; number < first + count && number / per_block < index + run; ++number) {
      const std::size_t at = (number - index * per_block) * super.desc_bytes;
      groups.push_back(TRY(parse(super, number, ByteSpan(raw).subspan(at, super.desc_bytes), verify_checksums)));
    }
  }
  return groups;
}

std::vector<Blocks> fixed_metadata(const Super& super, std::uint64_t group) {
  std::vector<Blocks> out;
  const std::uint64_t start = std::max(super.group_first(group), group == 0 ? super.super_block() : 0);
  const bool copy = super.has_super(group);
  if (copy) {
    const std::uint64_t flat = super.has_incompat(incompat::kMetaBg)
                                   ? std::min<std::uint64_t>(super.first_meta_bg, super.desc_blocks())
                                   : super.desc_blocks();
    out.push_back({start, 1 + flat + super.reserved_gdt_blocks});
  }
  const std::uint64_t per_block = super.descs_per_block();
  const std::uint64_t within = group % per_block;
  if (super.desc_block_in_meta_bg(group / per_block) && (within <= 1 || within == per_block - 1))
    out.push_back({start + (copy ? 1 : 0), 1});
  return out;
}

std::vector<Blocks> own_metadata(const Super& super, const Group& group) {
  return {{group.block_bitmap, 1}, {group.inode_bitmap, 1}, {group.inode_table, super.inode_table_blocks()}};
}

Result<ExtentSet> survey_groups(Drive& drive, const Super& super, bool verify_checksums) {
  // One list a kind: with flex_bg each kind is contiguous over many groups.
  std::vector<Extent> kinds[3];
  const std::uint64_t step = kSurveyBytes / super.desc_bytes;
  for (std::uint64_t first = 0; first < super.groups(); first += step) {
    const std::uint64_t count = std::min(step, super.groups() - first);
    const std::vector<Group> groups = TRY(read_groups(drive, super, first, count, verify_checksums));
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::vector<Blocks> own = own_metadata(super, groups[i]);
      for (std::size_t kind = 0; kind < 3; ++kind) add_clipped(kinds[kind], super, own[kind], first + i);
    }
    if (kinds[0].size() + kinds[1].size() + kinds[2].size() > kMaxForeignPieces)
      return fail(ErrorCode::unsupported, "the metadata of the ext file system is scattered over too many places");
  }
  kinds[0].insert(kinds[0].end(), kinds[1].begin(), kinds[1].end());
  kinds[0].insert(kinds[0].end(), kinds[2].begin(), kinds[2].end());
  return ExtentSet(std::move(kinds[0]));
}

}  // namespace tintype::ext
