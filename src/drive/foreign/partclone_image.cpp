// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/foreign/partclone_image.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>

namespace tintype {
namespace {

using Checksum = PartcloneHeader::Checksum;
constexpr std::uint64_t kMaxStripBytes = 64U << 20;
// So many checksums of version 1 tell their size: each fits by chance once in 2^32.
constexpr std::uint64_t kStrideProbe = 4;

bool is_crc(Checksum checksum) { return checksum == Checksum::crc32 || checksum == Checksum::first_byte_crc32; }

}  // namespace

Bytes partclone_checksum(const PartcloneHeader& header, std::uint32_t state, ByteSpan blocks) {
  Bytes sum(header.checksum_bytes);
  if (header.checksum == Checksum::crc32) {
    store_le<std::uint32_t>(sum, 0, partclone_crc32(state, blocks));
  } else if (header.checksum == Checksum::first_byte_crc32) {
    for (std::size_t at = 0; at < blocks.size(); at += header.block_bytes) state = partclone_crc32_v1(state, blocks.subspan(at, header.block_bytes));
    store_le<std::uint32_t>(sum, 0, state);
  } else if (header.checksum == Checksum::xxh64) {
    store_le<std::uint64_t>(sum, 0, XXH64(blocks.data(), blocks.size(), 0));
  } else if (header.checksum == Checksum::xxh128) {
    const XXH128_hash_t hash = XXH3_128bits(blocks.data(), blocks.size());
    store_le<std::uint64_t>(sum, 0, hash.low64);
    store_le<std::uint64_t>(sum, 8, hash.high64);
  }
  return sum;
}

Result<PartcloneImage> PartcloneImage::open(std::shared_ptr<ByteSource> source, const std::string& name) {
  PartcloneImage image;
  image.source_ = std::move(source);
  image.name_ = name;
  Bytes head(kPartcloneHeadBytes);
  TRY(image.source_->read(0, head));
  image.header_ = TRY(parse_partclone_header(head, name));
  const PartcloneHeader& header = image.header_;
  const std::uint64_t after_map = header.bitmap == PartcloneHeader::Bitmap::bytes ? 8 : header.bitmap == PartcloneHeader::Bitmap::bits ? 4 : 0;
  image.blocks_at_ = header.header_bytes + header.bitmap_bytes + after_map;
  if (const auto size = image.source_->size_bytes(); size && image.blocks_at_ > *size)
    return fail(ErrorCode::corrupt, fmt::format("the partclone image {} ends within its used map", name), "are all its parts there (.aa, .ab …)?");
  image.used_ = TRY(UsedBlocks::load(*image.source_, header, name));
  image.checksum_stride_ = header.checksum_bytes;
  image.source_->expect(image.blocks_at_ + image.content_bytes());
  if (header.version == 1) TRY(image.find_stride());
  TRY(image.check_size(name));
  return image;
}

std::uint64_t PartcloneImage::strips() const {
  return header_.blocks_per_checksum == 0 ? 0 : div_round_up(used_->used(), header_.blocks_per_checksum);
}
std::uint64_t PartcloneImage::strip_blocks(std::uint64_t strip) const {
  return std::min<std::uint64_t>(header_.blocks_per_checksum, used_->used() - strip * header_.blocks_per_checksum);
}
std::uint64_t PartcloneImage::strip_position(std::uint64_t strip) const { return position_of(strip * header_.blocks_per_checksum); }

std::uint64_t PartcloneImage::position_of(std::uint64_t rank) const {
  const std::uint64_t checksums = header_.blocks_per_checksum == 0 ? 0 : rank / header_.blocks_per_checksum;
  return blocks_at_ + rank * header_.block_bytes + checksums * checksum_stride_;
}

bool PartcloneImage::verifiable_alone(std::uint64_t strip) const {
  if (header_.blocks_per_checksum == 0 || strip_blocks(strip) * header_.block_bytes > kMaxStripBytes) return false;
  return header_.reseed || is_crc(header_.checksum) || strip == 0;
}

// Bytes of blocks and checksums. No overflow: blocks take at most 2^62 bytes, checksums 16 for each of 2^36.
std::uint64_t PartcloneImage::content_bytes() const { return used_->used() * header_.block_bytes + strips() * checksum_stride_; }

Result<void> PartcloneImage::check_size(const std::string& name) const {
  const auto size = source_->size_bytes();
  if (!size || fits(blocks_at_, content_bytes(), *size)) return {};
  // An unused tail of an oversized checksum may be missing at the very end.
  if (header_.version == 1 && fits(blocks_at_, content_bytes() - 4, *size)) return {};
  return fail(ErrorCode::corrupt, fmt::format("the partclone image {} should have {} bytes and has {}", name, blocks_at_ + content_bytes(), *size),
              "are all its parts there (.aa, .ab …)?");
}

// Early 64-bit builds wrote the checksums of version 1 with eight bytes, of which four mean something. Nothing but the data tells.
Result<void> PartcloneImage::find_stride() {
  if (used_->used() < 2 || TRY(chain_fits(4))) return {};
  if (TRY(chain_fits(8))) checksum_stride_ = 8;
  return {};
}

Result<bool> PartcloneImage::chain_fits(std::uint64_t stride) const {
  Bytes piece(header_.block_bytes + 4);
  std::uint32_t state = kPartcloneCrcSeed;
  for (std::uint64_t i = 0; i < std::min(kStrideProbe, used_->used()); ++i) {
    const std::uint64_t position = blocks_at_ + i * (header_.block_bytes + stride);
    if (const auto size = source_->size_bytes(); size && !fits(position, piece.size(), *size)) return false;
    TRY(source_->read(position, piece));
    state = partclone_crc32_v1(state, ByteSpan(piece).first(header_.block_bytes));
    if (state != le32(piece, header_.block_bytes)) return false;
  }
  return true;
}

Result<Bytes> PartcloneImage::read_strip(std::uint64_t strip) const {
  const std::uint64_t position = strip_position(strip);
  const auto data_bytes = static_cast<std::size_t>(strip_blocks(strip) * header_.block_bytes);
  Bytes bytes(data_bytes + header_.checksum_bytes);
  TRY(source_->read(position, bytes));
  std::uint32_t state = kPartcloneCrcSeed;
  if (!header_.reseed && is_crc(header_.checksum) && strip > 0) {
    Bytes before(4);
    TRY(source_->read(position - checksum_stride_, before));
    state = le32(before, 0);
  }
  const Bytes sum = partclone_checksum(header_, state, ByteSpan(bytes).first(data_bytes));
  const bool same = std::memcmp(sum.data(), bytes.data() + data_bytes, sum.size()) == 0;
  if (!same)
    return fail(ErrorCode::corrupt, fmt::format("blocks {}-{} of the partclone image {} do not fit their checksum", strip * header_.blocks_per_checksum,
                                                strip * header_.blocks_per_checksum + strip_blocks(strip) - 1, name_));
  bytes.resize(data_bytes);
  return bytes;
}

}  // namespace tintype
