// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/parity_rebuild.h"

#include <fmt/format.h>

#include <algorithm>

namespace tintype {
namespace {

constexpr std::uint64_t kMostBytesAtOnce = 64U << 20;
constexpr std::size_t kMostRecipes = 16;

}  // namespace

struct BlockRebuilder::Stripes {
  std::uint64_t first = 0;
  std::size_t count = 0;
  std::vector<Bytes> rows;                 // position in the stripe → its blocks of all these stripes
  std::vector<std::vector<bool>> usable;   // likewise
};

Error BlockRebuilder::lost_for_good(std::uint64_t block) const {
  const std::uint64_t at = block * head_.block_bytes;
  const std::uint32_t part = row_.part_at(at);
  Error error = make_error(ErrorCode::corrupt, fmt::format("more is damaged than {} can rebuild, in part {} of the image", parity_.path(), part + 1),
                           "tintype salvage saves what is left");
  error.offset_bytes = at - row_.part(part).start;
  return error;
}

Result<void> BlockRebuilder::read(std::uint64_t first, std::size_t count, MutableByteSpan out) {
  // Neighbours at the border of two rows are not neighbours in their stripes.
  while (count > 0) {
    const auto run = static_cast<std::size_t>(std::min<std::uint64_t>(count, head_.stripes - first % head_.stripes));
    TRY(read_run(first, run, out.first(run * head_.block_bytes)));
    out = out.subspan(run * head_.block_bytes);
    first += run;
    count -= run;
  }
  return {};
}

Result<void> BlockRebuilder::read_run(std::uint64_t first, std::size_t count, MutableByteSpan out) {
  const std::size_t block = head_.block_bytes;
  const auto k = static_cast<std::uint32_t>(first / head_.stripes);
  const std::vector<bool> read = TRY(row_.read_blocks(first * block, block, out));
  std::vector<bool> lost(count);
  for (std::size_t i = 0; i < count; ++i) {
    const BlockVerdict state = TRY(checker_.check(first % head_.stripes + i, k, out.subspan(i * block, block), read[i]));
    if (state == BlockVerdict::unknown && !read[i]) return fail(lost_for_good(first + i));
    lost[i] = state == BlockVerdict::damaged;
  }
  const auto most = static_cast<std::size_t>(std::max<std::uint64_t>(kMostBytesAtOnce / (block * head_.stripe_blocks()), 1));
  for (std::size_t i = 0; i < count;) {
    std::size_t end = i;
    while (end < count && lost[end] && end - i < most) ++end;
    if (end > i) TRY(rebuild(first + i, end - i, out.subspan(i * block, (end - i) * block)));
    i = std::max(end, i + 1);
  }
  return {};
}

Result<void> BlockRebuilder::rebuild(std::uint64_t first, std::size_t count, MutableByteSpan out) {
  Stripes stripes{first % head_.stripes, count, {}, {}};
  TRY(load(stripes));
  const auto k = static_cast<std::uint32_t>(first / head_.stripes);
  for (std::size_t s = 0; s < count; ++s)
    TRY(rebuild_block(stripes, s, k, out.subspan(s * head_.block_bytes, head_.block_bytes)));
  rebuilt_ += count;
  return {};
}

Result<void> BlockRebuilder::load(Stripes& stripes) {
  const std::size_t block = head_.block_bytes;
  stripes.rows.assign(head_.stripe_blocks(), Bytes(stripes.count * block));
  stripes.usable.assign(head_.stripe_blocks(), std::vector<bool>(stripes.count));
  Bytes parity(std::size_t{head_.parity_blocks} * block);
  for (std::uint32_t k = 0; k < head_.data_blocks; ++k)
    stripes.usable[k] = TRY(row_.read_blocks(head_.block_of(stripes.first, k) * block, block, stripes.rows[k]));
  for (std::size_t s = 0; s < stripes.count; ++s) {
    const ParityGroup group = head_.group((stripes.first + s) / head_.group_stripes);
    const std::uint64_t in_group = stripes.first + s - group.first_stripe;
    const std::vector<bool> read = TRY(parity_.read_parity(group, in_group * head_.parity_blocks, parity));
    for (std::uint32_t p = 0; p < head_.parity_blocks; ++p) {
      std::copy_n(parity.begin() + static_cast<std::ptrdiff_t>(p * block), block,
                  stripes.rows[head_.data_blocks + p].begin() + static_cast<std::ptrdiff_t>(s * block));
      stripes.usable[head_.data_blocks + p][s] = read[p];
    }
  }
  for (std::size_t s = 0; s < stripes.count; ++s)
    for (std::uint32_t at = 0; at < head_.stripe_blocks(); ++at) {
      const bool there = at >= head_.data_blocks || head_.block_of(stripes.first + s, at) < head_.blocks;
      const ByteSpan bytes = ByteSpan(stripes.rows[at]).subspan(s * block, block);
      // What does not exist is zeros, and has been read as that.
      stripes.usable[at][s] = !there || TRY(checker_.check(stripes.first + s, at, bytes, stripes.usable[at][s])) == BlockVerdict::sound;
    }
  return {};
}

Result<void> BlockRebuilder::rebuild_block(Stripes& stripes, std::size_t s, std::uint32_t k, MutableByteSpan out) {
  const std::size_t block = head_.block_bytes;
  Lost lost;
  for (std::uint32_t at = 0; at < head_.data_blocks; ++at)
    if (!stripes.usable[at][s]) lost.first.push_back(at);
  for (std::uint32_t p = 0; p < head_.parity_blocks && lost.second.size() < lost.first.size(); ++p)
    if (stripes.usable[head_.data_blocks + p][s]) lost.second.push_back(p);
  if (lost.second.size() < lost.first.size()) return fail(lost_for_good(head_.block_of(stripes.first + s, k)));
  // A long loss has the same gaps in stripe after stripe.
  auto recipe = recipes_.find(lost);
  if (recipe == recipes_.end()) {
    if (recipes_.size() >= kMostRecipes) recipes_.clear();
    recipe = recipes_.emplace(lost, code_.recipe(lost.first, lost.second)).first;
  }
  std::vector<const std::byte*> sources;
  for (const std::uint32_t at : recipe->second.sources) sources.push_back(stripes.rows[at].data() + s * block);
  std::vector<std::byte*> targets;
  for (const std::uint32_t at : recipe->second.lost) targets.push_back(stripes.rows[at].data() + s * block);
  ParityCode::rebuild(recipe->second, sources, targets, block);
  const ByteSpan made = ByteSpan(stripes.rows[k]).subspan(s * block, block);
  if (TRY(checker_.check(stripes.first + s, k, made, true)) != BlockVerdict::sound) return fail(lost_for_good(head_.block_of(stripes.first + s, k)));
  std::copy(made.begin(), made.end(), out.begin());
  return {};
}

}  // namespace tintype
