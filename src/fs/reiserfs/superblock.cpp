// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/reiserfs/superblock.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/text.h"

namespace tintype::reiserfs {
namespace {

constexpr std::size_t kMagicAt = 52;
constexpr std::uint32_t kDefaultJournalBlocks = 8192;

std::string_view magic_of(ByteSpan raw) { return as_text(raw.subspan(kMagicAt, 10)); }

}  // namespace

bool looks_like_super(ByteSpan raw) {
  if (raw.size() < kSuperBytes) return false;
  const std::string_view magic = magic_of(raw);
  return magic.starts_with("ReIsErFs") || magic.starts_with("ReIsEr2Fs") || magic.starts_with("ReIsEr3Fs");
}

Super describe_super(ByteSpan raw, std::uint64_t place) {
  Super super;
  super.place = place;
  super.blocks = le32(raw, 0);
  super.free_blocks = le32(raw, 4);
  super.root_block = le32(raw, 8);
  super.block_bytes = le16(raw, 44);
  super.journal_elsewhere = le32(raw, 16) != 0;
  if (!super.journal_elsewhere) {
    super.journal_first = le32(raw, 12);
    const std::uint32_t size = le32(raw, 20);
    super.journal_blocks = std::uint64_t{size == 0 ? kDefaultJournalBlocks : size} + 1;
  }
  super.unmount_state = le16(raw, 50);
  super.repair_state = le16(raw, 62);
  if (!magic_of(raw).starts_with("ReIsErFs")) {  // 3.5 has neither
    super.label = utf8_checked(raw.subspan(100, 16));
    if (!all_zero(raw.subspan(84, 16))) super.uuid = uuid_to_string(raw.subspan(84, 16));
  }
  return super;
}

Result<void> check_super(const Super& super, std::uint64_t partition_bytes) {
  const auto damaged = [](std::string_view what) {
    return fail(ErrorCode::corrupt, fmt::format("the ReiserFS superblock is damaged: {}", what));
  };
  if (super.block_bytes < 1024 || super.block_bytes > 8192 || !std::has_single_bit(super.block_bytes))
    return damaged("block size");
  if (super.blocks > partition_bytes / super.block_bytes)
    return fail(ErrorCode::corrupt, "the ReiserFS file system is larger than its partition");
  if (super.blocks <= super.place / super.block_bytes + 1 || super.free_blocks > super.blocks)
    return damaged("block counts");
  if (super.bitmap_block(super.bitmaps() - 1) >= super.blocks) return damaged("too few blocks for its bitmaps");
  if (!super.journal_elsewhere && (super.journal_first <= super.place / super.block_bytes ||
                                   !fits(super.journal_first, super.journal_blocks, super.blocks)))
    return damaged("the place of the journal");
  return {};
}

Result<std::optional<Super>> find_super(Drive& partition) {
  for (const std::uint64_t place : {kPlace, kOldPlace}) {
    Bytes raw(kSuperBytes);
    if (!fits(place, raw.size(), partition.size_bytes())) continue;
    TRY(partition.read(place, raw));
    if (looks_like_super(raw)) return describe_super(raw, place);
  }
  return std::nullopt;
}

}  // namespace tintype::reiserfs
