// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/ext/inode.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace tintype::ext {
namespace {

constexpr std::size_t kOldInodeBytes = 128;
constexpr std::uint32_t kAttributeMagic = 0xEA020000;
constexpr std::uint8_t kSystemAttribute = 7;
constexpr std::uint64_t kGroupsKept = 256;

std::unexpected<Error> damaged(std::uint32_t number, std::string_view what) {
  return fail(ErrorCode::corrupt, fmt::format("ext inode {} is damaged: {}", number, what));
}

}  // namespace

std::optional<NodeKind> Inode::kind() const {
  switch (mode() & 0xF000) {
    case 0x8000: return NodeKind::file;
    case 0x4000: return NodeKind::folder;
    case 0xA000: return NodeKind::symlink;
    case 0x2000:
    case 0x6000: return NodeKind::device;
    case 0x1000: return NodeKind::fifo;
    case 0xC000: return NodeKind::socket;
    default: return std::nullopt;
  }
}

std::uint64_t Inode::size_bytes() const {
  const std::uint64_t low = le32(raw_, 4);
  // Old folders keep another thing in the upper half.
  const bool both = (mode() & 0xF000) == 0x8000 || super_->has_incompat(incompat::kLargeDir);
  return both ? low | std::uint64_t{le32(raw_, 0x6C)} << 32 : low;
}

std::uint64_t Inode::stored_bytes() const {
  std::uint64_t count = le32(raw_, 0x1C);
  if (!super_->has_ro_compat(ro_compat::kHugeFile)) return count * 512;
  count |= std::uint64_t{le16(raw_, 0x74)} << 32;
  return count * (has(kHugeFileFlag) ? super_->block_bytes : 512);
}

std::uint64_t Inode::attribute_block() const {
  const std::uint64_t high = super_->has_incompat(incompat::k64bit) ? le16(raw_, 0x76) : 0;
  return le32(raw_, 0x68) | high << 32;
}

bool Inode::target_in_inode() const {
  return (mode() & 0xF000) == 0xA000 && size_bytes() < 60 && !has(kExtentsFlag) && !has(kInlineFlag);
}

std::size_t Inode::extra_bytes() const {
  if (raw_.size() <= kOldInodeBytes) return 0;
  const std::size_t extra = le16(raw_, 0x80);
  return extra <= raw_.size() - kOldInodeBytes ? extra : 0;
}

FileTime Inode::time(std::size_t at, std::size_t extra_at) const {
  std::int64_t seconds = static_cast<std::int32_t>(le32(raw_, at));
  std::int64_t nanoseconds = 0;
  if (extra_at + 4 <= kOldInodeBytes + extra_bytes()) {
    const std::uint32_t extra = le32(raw_, extra_at);
    seconds += static_cast<std::int64_t>(extra & 3) << 32;
    nanoseconds = extra >> 2;
  }
  // The format reaches into the year 2446, nanoseconds in 64 bits only to 2262: later times are none.
  if (seconds >= std::numeric_limits<std::int64_t>::max() / 1'000'000'000) return std::nullopt;
  return seconds * 1'000'000'000 + nanoseconds;
}

FileNode Inode::node(std::string name) const {
  FileNode node;
  node.id = node.handle[0] = number_;
  node.kind = kind().value_or(NodeKind::file);
  node.name = std::move(name);
  node.size_bytes = node.kind == NodeKind::device || node.kind == NodeKind::fifo || node.kind == NodeKind::socket ? 0 : size_bytes();
  node.stored_bytes = stored_bytes();
  node.accessed = time(0x08, 0x8C);
  node.changed = time(0x0C, 0x84);
  node.modified = time(0x10, 0x88);
  if (extra_bytes() >= 0x98 - kOldInodeBytes) node.created = time(0x90, 0x94);
  node.mode = mode() & 07777U;
  node.owner = le16(raw_, 2) | std::uint32_t{le16(raw_, 0x78)} << 16;
  node.group = le16(raw_, 0x18) | std::uint32_t{le16(raw_, 0x7A)} << 16;
  node.links = links();
  node.encrypted = has(kEncryptedFlag);
  node.sparse = node.kind == NodeKind::file && !has(kInlineFlag) && node.stored_bytes < node.size_bytes;
  return node;
}

Result<std::pair<ByteSpan, ByteSpan>> Inode::inline_parts() const {
  const ByteSpan head = block_map();
  const std::size_t start = kOldInodeBytes + extra_bytes();
  if (raw_.size() < start + 8 || le32(raw_, start) != kAttributeMagic) return std::pair{head, ByteSpan{}};
  const ByteSpan area = ByteSpan(raw_).subspan(start + 4);  // offsets of values count from here
  for (std::size_t at = 0; at + 16 <= area.size() && le32(area, at) != 0;) {
    const std::size_t name_bytes = u8(area, at);
    if (at + 16 + name_bytes > area.size()) return damaged(number_, "its attributes");
    if (u8(area, at + 1) == kSystemAttribute && as_text(area.subspan(at + 16, name_bytes)) == "data") {
      const std::size_t offset = le16(area, at + 2), size = le32(area, at + 8);
      if (le32(area, at + 4) != 0 || !fits(offset, size, area.size())) return damaged(number_, "its inline data");
      return std::pair{head, area.subspan(offset, size)};
    }
    at += round_up(16 + name_bytes, 4);
  }
  return std::pair{head, ByteSpan{}};
}

Result<std::uint64_t> InodeReader::table_of(std::uint64_t group) {
  if (groups_.empty() || group < first_group_ || group - first_group_ >= groups_.size()) {
    const std::uint64_t first = round_down(group, kGroupsKept);
    auto groups = read_groups(*drive_, super_, first, std::min(kGroupsKept, super_.groups() - first), false);
    // A damaged neighbour must not hide this group.
    first_group_ = groups ? first : group;
    groups_ = groups ? *std::move(groups) : TRY(read_groups(*drive_, super_, group, 1, false));
  }
  return groups_[group - first_group_].inode_table;
}

Result<Inode> InodeReader::read(std::uint32_t number) {
  if (number == 0 || number > super_.inodes)
    return fail(ErrorCode::corrupt, fmt::format("there is no ext inode {}", number));
  const std::uint64_t table = TRY(table_of((number - 1) / super_.inodes_per_group));
  const std::uint64_t within = std::uint64_t{(number - 1) % super_.inodes_per_group} * super_.inode_bytes;
  const std::uint64_t wanted = table + within / super_.block_bytes;
  Block& block = blocks_[wanted % blocks_.size()];
  if (block.number != wanted) {
    block.number = 0;
    block.bytes.resize(super_.block_bytes);
    TRY(drive_->read(wanted * super_.block_bytes, block.bytes));
    block.number = wanted;
  }
  const auto from = block.bytes.begin() + static_cast<std::ptrdiff_t>(within % super_.block_bytes);
  return Inode(super_, number, Bytes(from, from + super_.inode_bytes));
}

}  // namespace tintype::ext
