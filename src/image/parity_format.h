// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "image/format.h"

namespace tintype {

// The records of the recovery file and where things lie in it and in the set. docs/format/parity.md is the source of
// every number here. Decoding checks all there is to check; what comes back is sane and its sums do not overflow.

constexpr std::uint32_t kMinParityBlock = 4096;
constexpr std::uint32_t kMaxParityBlock = 256 * 1024;
constexpr std::uint32_t kMaxStripeBlocks = 255;
constexpr std::uint64_t kMaxStripes = 1U << 24;  // a checker keeps two bytes for each
constexpr std::uint32_t kMaxGroupEntries = 65536;
constexpr std::uint64_t kMaxGroupParityBytes = 64U << 20;
constexpr std::size_t kParityPageBytes = 4096;
constexpr std::size_t kPageSums = 255;  // entries of a table page
constexpr std::size_t kMinParityHeadBytes = 4096;
constexpr std::size_t kMaxParityHeadBytes = 4096 * 196;  // with kMaxParts parts

using BlockSum = std::array<std::byte, 16>;
BlockSum block_sum(ByteSpan block);  // XXH3-128

// The stripes of one group.
struct ParityGroup {
  std::uint64_t number = 0;
  std::uint64_t first_stripe = 0;
  std::uint32_t stripes = 0;
};

// The head: how the bytes of a set are cut into blocks and stripes.
struct ParityHead {
  SetId set_id{};
  std::uint32_t block_bytes = 0;    // B
  std::uint32_t data_blocks = 0;    // K, of a stripe
  std::uint32_t parity_blocks = 0;  // M, of a stripe
  std::uint32_t group_stripes = 0;  // G
  std::uint64_t stripes = 0;        // S
  std::uint64_t blocks = 0;         // N, data blocks of the set
  std::uint64_t set_bytes = 0;
  std::uint32_t share_percent = 0;
  std::vector<std::uint64_t> part_bytes;

  // Chooses blocks and stripes for a set so that any contiguous loss of the share (1 to 100) can be rebuilt.
  static ParityHead plan(const SetId& set_id, std::vector<std::uint64_t> part_bytes, std::uint32_t share_percent);
  Bytes encode() const;
  // `bytes` may be longer than the head. Error{corrupt} for anything that is no head or contradicts itself.
  static Result<ParityHead> decode(ByteSpan bytes, const std::string& name);
  // Whether these bytes begin like a head, and how long it claims to be; empty if they do not or it is absurd.
  static std::optional<std::size_t> claimed_bytes(ByteSpan bytes);

  std::size_t head_bytes() const;
  std::uint64_t file_bytes() const;
  std::uint32_t stripe_blocks() const { return data_blocks + parity_blocks; }

  std::uint64_t groups() const;
  ParityGroup group(std::uint64_t number) const;
  std::size_t pages(const ParityGroup& group) const;
  // Positions in the recovery file: of a group's first table, its parity blocks, its second table.
  std::uint64_t table_at(const ParityGroup& group) const;
  std::uint64_t parity_at(const ParityGroup& group) const { return table_at(group) + pages(group) * kParityPageBytes; }
  std::uint64_t second_table_at(const ParityGroup& group) const { return parity_at(group) + parity_bytes(group); }
  std::uint64_t parity_bytes(const ParityGroup& group) const {
    return std::uint64_t{group.stripes} * parity_blocks * block_bytes;
  }
  // Positions of the three heads, ascending.
  std::array<std::uint64_t, 3> heads_at() const;

  // Data block k of a stripe in the row of all blocks; `blocks` or more: it does not exist and counts as zeros.
  std::uint64_t block_of(std::uint64_t stripe, std::uint32_t k) const { return k * stripes + stripe; }
  // First byte of a part in the row of all bytes.
  std::uint64_t part_start(std::uint32_t part) const;
};

// The table of a group: pages out of sums (stripes × stripe_blocks of them) and back.
Bytes encode_parity_pages(const SetId& set_id, std::uint64_t group, std::span<const BlockSum> sums);
// One page; false if its checksum does not fit, and `out` (kPageSums or fewer, for the last page) is left alone.
bool decode_parity_page(const SetId& set_id, std::uint64_t group, std::uint64_t page, ByteSpan bytes, std::span<BlockSum> out);

}  // namespace tintype
