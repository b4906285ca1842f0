// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/parity_writer.h"

#include <algorithm>

namespace tintype {

std::uint32_t StripeEncoder::stripes_at_once(const ParityHead& head) {
  // A set that has just been written is in memory, if memory can hold it: then short runs that stay near the core are best.
  // Otherwise long ones, for drives that have to seek between them.
  constexpr std::uint64_t kInMemory = std::uint64_t{8} << 30;
  const std::uint64_t run = head.set_bytes <= kInMemory ? 64U << 10 : 1U << 20;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(run / head.block_bytes, 1, head.group_stripes));
}

Result<void> StripeEncoder::encode(EncodedStripes& batch) {
  const std::size_t block = head_.block_bytes;
  const std::uint32_t data_blocks = head_.data_blocks, parity_blocks = head_.parity_blocks;
  // Runs that begin at multiples of a power of two would compete for the same few lines of the cache.
  constexpr std::size_t kStagger = 320;
  const std::size_t bytes = block * batch.stripes, run = bytes + kStagger;
  data_.resize(run * data_blocks);
  batch.parity.resize(bytes * parity_blocks);
  batch.sums.assign(std::size_t{batch.stripes} * head_.stripe_blocks(), BlockSum{});
  for (std::uint32_t k = 0; k < data_blocks; ++k) {
    const std::uint64_t first = head_.block_of(batch.first_stripe, k);
    const MutableByteSpan blocks = MutableByteSpan(data_).subspan(run * k, bytes);
    TRY(row_.read(first * block, blocks));
    for (std::uint32_t s = 0; s < batch.stripes && first + s < head_.blocks; ++s)
      batch.sums[std::size_t{s} * head_.stripe_blocks() + k] = block_sum(blocks.subspan(s * block, block));
  }
  std::vector<const std::byte*> sources(data_blocks);
  std::vector<std::byte*> targets(parity_blocks);
  for (std::uint32_t s = 0; s < batch.stripes; ++s) {
    for (std::uint32_t k = 0; k < data_blocks; ++k) sources[k] = data_.data() + run * k + block * s;
    for (std::uint32_t p = 0; p < parity_blocks; ++p) targets[p] = batch.parity.data() + block * (std::size_t{s} * parity_blocks + p);
    code_.encode(sources, targets, block);
    for (std::uint32_t p = 0; p < parity_blocks; ++p)
      batch.sums[std::size_t{s} * head_.stripe_blocks() + data_blocks + p] = block_sum(ByteSpan(targets[p], block));
  }
  return {};
}

Result<void> ParityWriter::begin() { return put(head_.encode()); }

Result<void> ParityWriter::add(const EncodedStripes& stripes) {
  parity_.insert(parity_.end(), stripes.parity.begin(), stripes.parity.end());
  sums_.insert(sums_.end(), stripes.sums.begin(), stripes.sums.end());
  const ParityGroup group = head_.group(group_);
  return sums_.size() == std::size_t{group.stripes} * head_.stripe_blocks() ? write_group() : Result<void>{};
}

Result<void> ParityWriter::write_group() {
  const Bytes table = encode_parity_pages(head_.set_id, group_, sums_);
  TRY(put(table));
  TRY(put(parity_));
  TRY(put(table));
  parity_.clear();
  sums_.clear();
  ++group_;
  return group_ == div_round_up(head_.groups(), 2) ? put(head_.encode()) : Result<void>{};
}

Result<void> ParityWriter::finish() {
  TRY(put(head_.encode()));
  return file_->sync();
}

}  // namespace tintype
