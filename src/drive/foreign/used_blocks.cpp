// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/foreign/used_blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "drive/linux/spill_file.h"

namespace tintype {
namespace {

constexpr std::size_t kPagesInMemory = 8192;
constexpr std::string_view kEndMark = "BiTmAgIc";  // of a map of bytes

std::unexpected<Error> corrupt(const std::string& name, const char* why) {
  return fail(ErrorCode::corrupt, fmt::format("the used map of the partclone image {} {}", name, why), "what it holds cannot be placed; partclone.chkimg may say more");
}

}  // namespace

UsedBlocks::~UsedBlocks() = default;

Result<std::unique_ptr<UsedBlocks>> UsedBlocks::load(ByteSource& source, const PartcloneHeader& header, const std::string& name) {
  std::unique_ptr<UsedBlocks> map(new UsedBlocks);
  map->total_ = header.total_blocks;
  const bool bytes = header.bitmap == PartcloneHeader::Bitmap::bytes;
  std::uint32_t crc = kPartcloneCrcSeed;
  std::uint64_t position = header.header_bytes;
  Bytes raw;
  for (std::uint64_t first = 0; first < header.total_blocks; first += kPageBlocks) {
    const std::uint64_t blocks = std::min(kPageBlocks, header.total_blocks - first);
    Page page{};
    if (header.bitmap == PartcloneHeader::Bitmap::all_used) {
      page.fill(~std::uint64_t{0});
    } else {
      raw.resize(static_cast<std::size_t>(bytes ? blocks : div_round_up(blocks, 8)));
      TRY(source.read(position, raw));
      position += raw.size();
      if (!bytes) crc = partclone_crc32(crc, raw);
      for (std::size_t i = 0; i < raw.size(); ++i) {
        // Some old maps of bytes have other values than 0 and 1; partclone takes only 1 for "there".
        if (bytes)
          page[i / 64] |= std::uint64_t{raw[i] == std::byte{1} ? 1U : 0U} << i % 64;
        else
          page[i / 8] |= std::uint64_t{u8(raw, i)} << i % 8 * 8;
      }
    }
    TRY(map->add_page(page, blocks, header.total_blocks));
  }
  if (bytes) {
    Bytes mark(kEndMark.size());
    TRY(source.read(position, mark));
    if (as_text(mark) != kEndMark) return corrupt(name, "has no end mark");
  } else if (header.bitmap == PartcloneHeader::Bitmap::bits) {
    Bytes stored(4);
    TRY(source.read(position, stored));
    if (le32(stored, 0) != crc) return corrupt(name, "does not fit its checksum");
  }
  return map;
}

Result<void> UsedBlocks::add_page(const Page& given, std::uint64_t blocks, std::uint64_t total) {
  Page page = given;
  for (std::uint64_t i = blocks; i < kPageBlocks; ++i)  // bits behind the last block mean nothing
    page[i / 64] &= ~(std::uint64_t{1} << i % 64);
  Entry entry{.before = used_};
  for (const std::uint64_t word : page) entry.used += static_cast<std::uint32_t>(std::popcount(word));
  used_ += entry.used;
  if (entry.used != 0 && entry.used != blocks) {
    entry.place = mixed_count_++;
    if (entry.place < kPagesInMemory) {
      mixed_.push_back(std::make_shared<Page>(page));
    } else {
      if (!spill_) spill_ = TRY(SpillFile::make(total / 8));
      TRY(spill_->write(std::uint64_t{entry.place} * sizeof(Page), ByteSpan(std::as_bytes(std::span(page)))));
    }
  }
  entries_.push_back(entry);
  return {};
}

Result<std::shared_ptr<const UsedBlocks::Page>> UsedBlocks::page_of(const Entry& entry) const {
  if (entry.place < mixed_.size()) return mixed_[entry.place];
  const std::lock_guard lock(mutex_);
  if (recent_ && recent_place_ == entry.place) return recent_;
  auto page = std::make_shared<Page>();
  TRY(spill_->read(std::uint64_t{entry.place} * sizeof(Page), std::as_writable_bytes(std::span(*page))));
  recent_ = page;
  recent_place_ = entry.place;
  return recent_;
}

Result<UsedBlocks::Run> UsedBlocks::run_at(std::uint64_t block, std::uint64_t limit) const {
  const Entry& entry = entries_[block / kPageBlocks];
  const std::uint64_t first = block / kPageBlocks * kPageBlocks;
  const std::uint64_t here = std::min(kPageBlocks, total_ - first);
  const std::uint64_t within = block - first;
  Run run{.used = entry.used != 0, .blocks = std::min(limit, here - within), .rank = entry.before + within};
  if (entry.used == 0 || entry.used == here) return run;
  const std::shared_ptr<const Page> page = TRY(page_of(entry));
  const auto bit = [&](std::uint64_t at) { return ((*page)[at / 64] >> at % 64 & 1U) != 0; };
  run.used = bit(within);
  run.rank = entry.before;
  for (std::uint64_t word = 0; word < within / 64; ++word) run.rank += static_cast<std::uint64_t>(std::popcount((*page)[word]));
  if (within % 64 != 0)
    run.rank += static_cast<std::uint64_t>(std::popcount((*page)[within / 64] & ((std::uint64_t{1} << within % 64) - 1)));
  const std::uint64_t most = run.blocks;
  for (run.blocks = 1; run.blocks < most && bit(within + run.blocks) == run.used;) ++run.blocks;
  return run;
}

}  // namespace tintype
