// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/parity_format.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <numeric>

namespace tintype {
namespace {

constexpr std::uint16_t kMajor = 1;
constexpr std::uint16_t kMinor = 0;
constexpr std::size_t kPartsAt = 128;
constexpr std::size_t kSumBytes = sizeof(BlockSum);
constexpr std::array<std::uint8_t, 8> kMagic = {0x54, 0x54, 0x50, 0x41, 0x52, 0x0D, 0x0A, 0x1A};

std::size_t head_bytes_for(std::size_t parts) {
  return static_cast<std::size_t>(round_up(kPartsAt + 8 * parts + kSumBytes, kMinParityHeadBytes));
}

// Blocks of the row that a loss of this many bytes can touch: it need not begin at a block.
std::uint64_t touched(std::uint64_t bytes, std::uint32_t block_bytes) { return bytes / block_bytes + 2; }

std::uint64_t share_of(std::uint64_t bytes, std::uint32_t percent) {
  return bytes / 100 * percent + bytes % 100 * percent / 100;
}

BlockSum page_sum(const SetId& set_id, std::uint64_t group, std::uint64_t page, ByteSpan entries) {
  std::array<std::byte, 32 + kPageSums * kSumBytes> all;
  std::copy(set_id.begin(), set_id.end(), all.begin());
  store_le(all, 16, group);
  store_le(all, 24, page);
  std::copy(entries.begin(), entries.end(), all.begin() + 32);
  return block_sum(all);
}

// What does not follow from the sizes of the parts, or would take absurd amounts of memory.
bool consistent(const ParityHead& head) {
  const std::uint32_t k = head.data_blocks, m = head.parity_blocks;
  if (!std::has_single_bit(head.block_bytes) || head.block_bytes < kMinParityBlock || head.block_bytes > kMaxParityBlock) return false;
  if (k == 0 || k > kMaxStripeBlocks || m == 0 || m > kMaxStripeBlocks || k + m > kMaxStripeBlocks) return false;
  if (head.group_stripes == 0 || head.group_stripes > kMaxGroupEntries / (k + m)) return false;
  if (std::uint64_t{head.group_stripes} * m * head.block_bytes > kMaxGroupParityBytes) return false;
  std::uint64_t sum = 0;
  for (const std::uint64_t bytes : head.part_bytes) {
    const std::optional<std::uint64_t> more = checked_add(sum, bytes);
    // Far from what 64 bits hold: the recovery file's own length does not overflow then.
    if (bytes == 0 || !more || *more > (std::uint64_t{1} << 52)) return false;
    sum = *more;
  }
  return sum == head.set_bytes && head.blocks == div_round_up(sum, head.block_bytes) && head.stripes == div_round_up(head.blocks, k) &&
         head.stripes <= kMaxStripes;
}

}  // namespace

BlockSum block_sum(ByteSpan block) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(block.data(), block.size()));
  BlockSum out{};
  std::memcpy(out.data(), canonical.digest, out.size());
  return out;
}

ParityHead ParityHead::plan(const SetId& set_id, std::vector<std::uint64_t> part_bytes, std::uint32_t share_percent) {
  // Few parity blocks a stripe are quick, more of them stand more scattered damage: docs/decisions/2026-11-25-parity.md.
  constexpr std::uint32_t kFewestParity = 4;
  constexpr std::uint32_t kUsualStripe = 80;
  constexpr std::uint64_t kWantedBlocks = 32768;
  constexpr std::uint64_t kWantedGroupBytes = 4U << 20;
  ParityHead head;
  head.set_id = set_id;
  head.part_bytes = std::move(part_bytes);
  head.share_percent = std::clamp(share_percent, 1U, 100U);
  head.set_bytes = std::accumulate(head.part_bytes.begin(), head.part_bytes.end(), std::uint64_t{0});
  head.block_bytes = kMinParityBlock;
  while (head.block_bytes < kMaxParityBlock && head.set_bytes / head.block_bytes >= kWantedBlocks) head.block_bytes *= 2;
  head.blocks = div_round_up(head.set_bytes, head.block_bytes);
  const auto parity = std::max(kFewestParity, static_cast<std::uint32_t>(div_round_up(kUsualStripe * head.share_percent, 100)));
  // One data block less than the share allows, so that large sets need no parity block more for where a loss begins.
  const std::uint32_t most_data = std::min(100 * parity / head.share_percent, kMaxStripeBlocks - parity) - 1;
  head.stripes = div_round_up(head.blocks, most_data);
  head.data_blocks = static_cast<std::uint32_t>(div_round_up(head.blocks, head.stripes));
  const std::uint64_t lost = touched(share_of(head.set_bytes, head.share_percent), head.block_bytes);
  head.parity_blocks = std::max(kFewestParity, static_cast<std::uint32_t>(div_round_up(lost, head.stripes)));
  const std::uint64_t stripe_parity = std::uint64_t{head.parity_blocks} * head.block_bytes;
  head.group_stripes = static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(kWantedGroupBytes / stripe_parity, 1, div_round_up(head.stripes, 2)));
  head.group_stripes = std::min(head.group_stripes, kMaxGroupEntries / head.stripe_blocks());
  return head;
}

Bytes ParityHead::encode() const {
  Bytes out(head_bytes());
  const ByteSpan magic = std::as_bytes(std::span(kMagic));
  std::copy(magic.begin(), magic.end(), out.begin());
  store_le(out, 8, kMajor);
  store_le(out, 10, kMinor);
  store_le(out, 12, static_cast<std::uint32_t>(out.size()));
  std::copy(set_id.begin(), set_id.end(), out.begin() + 16);
  store_le(out, 32, block_bytes);
  store_le(out, 36, data_blocks);
  store_le(out, 40, parity_blocks);
  store_le(out, 44, group_stripes);
  store_le(out, 48, stripes);
  store_le(out, 56, blocks);
  store_le(out, 64, set_bytes);
  store_le(out, 72, static_cast<std::uint32_t>(part_bytes.size()));
  store_le(out, 76, share_percent);
  for (std::size_t i = 0; i < part_bytes.size(); ++i) store_le(out, kPartsAt + 8 * i, part_bytes[i]);
  const BlockSum sum = block_sum(ByteSpan(out).first(out.size() - kSumBytes));
  std::copy(sum.begin(), sum.end(), out.end() - kSumBytes);
  return out;
}

std::optional<std::size_t> ParityHead::claimed_bytes(ByteSpan bytes) {
  if (bytes.size() < 16 || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0) return std::nullopt;
  const std::uint32_t claimed = le32(bytes, 12);
  if (claimed < kMinParityHeadBytes || claimed > kMaxParityHeadBytes || claimed % kMinParityHeadBytes != 0) return std::nullopt;
  return claimed;
}

Result<ParityHead> ParityHead::decode(ByteSpan bytes, const std::string& name) {
  const std::optional<std::size_t> claimed = claimed_bytes(bytes);
  if (!claimed || *claimed > bytes.size()) return fail(ErrorCode::corrupt, fmt::format("{} is not a recovery file", name));
  bytes = bytes.first(*claimed);
  const ByteSpan body = bytes.first(bytes.size() - kSumBytes);
  if (!std::ranges::equal(block_sum(body), bytes.last(kSumBytes)))
    return fail(ErrorCode::corrupt, fmt::format("a head of {} is damaged (checksum)", name));
  if (le16(bytes, 8) != kMajor || le32(bytes, 80) != 0)
    return fail(ErrorCode::unsupported, fmt::format("{} has format {} with features {:#x}, this version reads {}", name, le16(bytes, 8),
                                                    le32(bytes, 80), kMajor), "use a newer tintype");
  ParityHead head;
  std::copy_n(bytes.begin() + 16, head.set_id.size(), head.set_id.begin());
  head.block_bytes = le32(bytes, 32);
  head.data_blocks = le32(bytes, 36);
  head.parity_blocks = le32(bytes, 40);
  head.group_stripes = le32(bytes, 44);
  head.stripes = le64(bytes, 48);
  head.blocks = le64(bytes, 56);
  head.set_bytes = le64(bytes, 64);
  head.share_percent = le32(bytes, 76);
  const std::uint32_t parts = le32(bytes, 72);
  const Error contradiction = make_error(ErrorCode::corrupt, fmt::format("a head of {} contradicts itself", name));
  if (parts == 0 || parts > kMaxParts || head_bytes_for(parts) != *claimed || head.share_percent == 0 || head.share_percent > 100)
    return fail(contradiction);
  for (std::uint32_t i = 0; i < parts; ++i) head.part_bytes.push_back(le64(bytes, kPartsAt + 8 * std::size_t{i}));
  if (!consistent(head)) return fail(contradiction);
  const bool clean = le32(bytes, 84) == 0 && all_zero(bytes.subspan(88, 40)) && all_zero(body.subspan(kPartsAt + 8 * std::size_t{parts}));
  if (le16(bytes, 10) <= kMinor && !clean)
    return fail(ErrorCode::unsupported, fmt::format("{} uses bytes that format {}.{} keeps at zero", name, kMajor, kMinor), "use a newer tintype");
  return head;
}

std::size_t ParityHead::head_bytes() const { return head_bytes_for(part_bytes.size()); }

std::uint64_t ParityHead::groups() const { return div_round_up(stripes, group_stripes); }

ParityGroup ParityHead::group(std::uint64_t number) const {
  const std::uint64_t first = number * group_stripes;
  return {number, first, static_cast<std::uint32_t>(std::min<std::uint64_t>(group_stripes, stripes - first))};
}

std::size_t ParityHead::pages(const ParityGroup& group) const {
  return static_cast<std::size_t>(div_round_up(std::uint64_t{group.stripes} * stripe_blocks(), kPageSums));
}

std::uint64_t ParityHead::table_at(const ParityGroup& at) const {
  const ParityGroup whole{0, 0, group_stripes};
  const std::uint64_t bytes = 2 * pages(whole) * kParityPageBytes + parity_bytes(whole);
  return head_bytes() * (at.number >= div_round_up(groups(), 2) ? 2 : 1) + at.number * bytes;
}

std::uint64_t ParityHead::file_bytes() const { return heads_at()[2] + head_bytes(); }

std::array<std::uint64_t, 3> ParityHead::heads_at() const {
  const ParityGroup last = group(groups() - 1);
  const std::uint64_t end = second_table_at(last) + pages(last) * kParityPageBytes;
  const std::uint64_t middle = div_round_up(groups(), 2);
  return {0, middle == groups() ? end : table_at(group(middle)) - head_bytes(), middle == groups() ? end + head_bytes() : end};
}

std::uint64_t ParityHead::part_start(std::uint32_t part) const {
  return std::accumulate(part_bytes.begin(), part_bytes.begin() + part, std::uint64_t{0});
}

Bytes encode_parity_pages(const SetId& set_id, std::uint64_t group, std::span<const BlockSum> sums) {
  const auto count = static_cast<std::size_t>(div_round_up(sums.size(), kPageSums));
  Bytes out(count * kParityPageBytes);
  for (std::size_t page = 0; page < count; ++page) {
    const MutableByteSpan bytes = MutableByteSpan(out).subspan(page * kParityPageBytes, kParityPageBytes);
    const std::span<const BlockSum> entries = sums.subspan(page * kPageSums, std::min(kPageSums, sums.size() - page * kPageSums));
    std::memcpy(bytes.data(), entries.data(), entries.size_bytes());
    const BlockSum sum = page_sum(set_id, group, page, bytes.first(kPageSums * kSumBytes));
    std::copy(sum.begin(), sum.end(), bytes.end() - kSumBytes);
  }
  return out;
}

bool decode_parity_page(const SetId& set_id, std::uint64_t group, std::uint64_t page, ByteSpan bytes, std::span<BlockSum> out) {
  const ByteSpan entries = bytes.first(kPageSums * kSumBytes);
  if (!std::ranges::equal(page_sum(set_id, group, page, entries), bytes.last(kSumBytes))) return false;
  std::memcpy(out.data(), entries.data(), out.size_bytes());
  return true;
}

}  // namespace tintype
