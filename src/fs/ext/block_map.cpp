// SPDX-License-Identifier: GPL-3.0-or-later
// Looking up, not walking: a lookup goes down from the root of the tree to the run that holds a byte, through the node of each
// level that was read last. In file order that is one read for each block of the map.
// Source: kernel documentation, "ext4 Data Structures and Algorithms", sections Extent Tree, Direct/Indirect Block Addressing.
#include "fs/ext/block_map.h"

#include <fmt/format.h>

#include <algorithm>

namespace tintype::ext {
namespace {

constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 40;  // in blocks: behind every file
constexpr std::uint32_t kMaxWritten = 32768;                // a greater length says: not written, and this much more
constexpr unsigned kMaxDepth = 5;

std::unexpected<Error> damaged(std::uint32_t inode, std::string_view what) {
  return fail(ErrorCode::corrupt, fmt::format("the block map of ext inode {} is damaged: {}", inode, what));
}

// A node of an extent tree; the span must outlive it.
struct ExtentNode {
  ByteSpan raw;
  std::size_t entries = 0;
  unsigned depth = 0;

  static std::optional<ExtentNode> parse(ByteSpan raw) {
    const ExtentNode node{raw, le16(raw, 2), le16(raw, 6)};
    if (le16(raw, 0) != 0xF30A || node.entries > (raw.size() - 12) / 12 || node.depth > kMaxDepth) return std::nullopt;
    return node;
  }
  std::uint64_t first(std::size_t i) const { return le32(raw, 12 + 12 * i); }
  std::uint64_t child(std::size_t i) const { return std::uint64_t{le16(raw, 20 + 12 * i)} << 32 | le32(raw, 16 + 12 * i); }
  std::uint64_t start(std::size_t i) const { return std::uint64_t{le16(raw, 18 + 12 * i)} << 32 | le32(raw, 20 + 12 * i); }
  bool written(std::size_t i) const { return le16(raw, 16 + 12 * i) <= kMaxWritten; }
  std::uint64_t length(std::size_t i) const {
    const std::uint32_t length = le16(raw, 16 + 12 * i);
    return length > kMaxWritten ? length - kMaxWritten : length;
  }
  // The last entry that begins at or before the block; empty if none does.
  std::optional<std::size_t> find(std::uint64_t block) const {
    std::size_t low = 0, high = entries;
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (first(middle) <= block)
        low = middle + 1;
      else
        high = middle;
    }
    return low == 0 ? std::nullopt : std::optional(low - 1);
  }
};

class BlockMap : public ContentMap {
 public:
  BlockMap(std::shared_ptr<Drive> drive, const Super& super, const Inode& inode)
      : drive_(std::move(drive)), super_(super), number_(inode.number()), root_(inode.block_map().begin(), inode.block_map().end()) {}

  Result<ContentRun> at(std::uint64_t offset) override {
    const std::uint64_t block = offset / super_.block_bytes;
    if (block >= kNoLimit) return damaged(number_, "the file is too large");
    const Run run = TRY(find(block));
    ContentRun out{run.first * super_.block_bytes, run.count * super_.block_bytes, {}};
    if (run.place) out.place = *run.place * super_.block_bytes;
    return out;
  }

 protected:
  struct Run {
    std::uint64_t first = 0, count = 0;
    std::optional<std::uint64_t> place;
  };
  virtual Result<Run> find(std::uint64_t block) = 0;

  bool inside(std::uint64_t first, std::uint64_t count) const {
    return first > super_.super_block() && fits(first, count, super_.blocks);
  }
  Result<ByteSpan> node(unsigned level, std::uint64_t block) {
    Node& kept = nodes_[level];
    if (kept.block != block) {
      if (!inside(block, 1)) return damaged(number_, "a part of it lies outside the file system");
      kept.block = 0;
      kept.raw.resize(super_.block_bytes);
      TRY(drive_->read(block * super_.block_bytes, kept.raw));
      kept.block = block;
    }
    return ByteSpan(kept.raw);
  }

  struct Node {
    std::uint64_t block = 0;  // 0: none
    Bytes raw;
  };
  std::shared_ptr<Drive> drive_;
  Super super_;
  std::uint32_t number_;
  Bytes root_;
  std::array<Node, kMaxDepth + 1> nodes_;
};

class ExtentMap final : public BlockMap {
 public:
  using BlockMap::BlockMap;

  Result<Run> find(std::uint64_t block) override {
    std::uint64_t low = 0, high = kNoLimit;  // what the node at hand is responsible for
    std::optional<ExtentNode> at = ExtentNode::parse(root_);
    if (!at) return damaged(number_, "the root of its extents");
    while (true) {
      const std::optional<std::size_t> i = at->find(block);
      const std::size_t next = i ? *i + 1 : 0;
      if (next < at->entries) high = std::min(high, at->first(next));
      if (high <= block) return damaged(number_, "extents out of order");
      if (!i) return Run{low, high - low, {}};
      low = std::max(low, at->first(*i));
      if (at->depth == 0) return leaf(*at, *i, low, high, block);
      const unsigned depth = at->depth;
      at = ExtentNode::parse(TRY(node(depth, at->child(*i))));
      if (!at || at->depth + 1 != depth) return damaged(number_, "a block of extents");
    }
  }

 private:
  Result<Run> leaf(const ExtentNode& node, std::size_t i, std::uint64_t low, std::uint64_t high, std::uint64_t block) const {
    const std::uint64_t end = node.first(i) + node.length(i);
    if (block >= end) return Run{std::max(low, end), high - std::max(low, end), {}};
    if (!inside(node.start(i), node.length(i))) return damaged(number_, "an extent lies outside the file system");
    Run run{low, std::min(high, end) - low, {}};
    if (node.written(i)) run.place = node.start(i) + (low - node.first(i));
    return run;
  }
};

class ListMap final : public BlockMap {
 public:
  using BlockMap::BlockMap;

  Result<Run> find(std::uint64_t block) override {
    const std::uint64_t per_block = super_.block_bytes / 4;
    if (block < 12) return pointers(ByteSpan(root_).first(48), block, 0);
    std::uint64_t base = 12, span = per_block;  // blocks below the pointer at hand
    unsigned level = 1;
    for (; block - base >= span; ++level) {
      if (level == 3) return Run{base + span, kNoLimit - base - span, {}};
      base += span;
      span *= per_block;
    }
    std::uint64_t pointer = le32(root_, 4 * (11 + level));
    while (true) {
      if (pointer == 0) return Run{base, span, {}};
      const ByteSpan raw = TRY(node(level, pointer));
      span /= per_block;
      if (--level == 0) return pointers(raw, block - base, base);
      const std::uint64_t i = (block - base) / span;
      base += i * span;
      pointer = le32(raw, 4 * i);
    }
  }

 private:
  // The longest run from `i` on among pointers straight to data, the first of which is for block `base`.
  Result<Run> pointers(ByteSpan raw, std::uint64_t i, std::uint64_t base) const {
    const std::uint64_t count = raw.size() / 4;
    const std::uint64_t first = le32(raw, 4 * i);
    std::uint64_t n = 1;
    while (i + n < count && le32(raw, 4 * (i + n)) == (first == 0 ? 0 : first + n)) ++n;
    if (first == 0) return Run{base + i, n, {}};
    if (!inside(first, n)) return damaged(number_, "a block lies outside the file system");
    return Run{base + i, n, first};
  }
};

// Both kinds of map, for who wants every block; at most six levels deep.
class Visitor {
 public:
  Visitor(Drive& drive, const Super& super, std::uint64_t& budget, const std::function<void(Blocks)>& visit)
      : drive_(drive), super_(super), budget_(budget), visit_(visit) {}

  void extents(ByteSpan raw, unsigned below) {
    const std::optional<ExtentNode> node = ExtentNode::parse(raw);
    if (!node || node->depth >= below) return;
    for (std::size_t i = 0; i < node->entries; ++i) {
      if (node->depth == 0)
        give(node->start(i), node->length(i));
      else if (const std::optional<Bytes> child = load(node->child(i)))
        extents(*child, node->depth);
    }
  }

  void list(ByteSpan pointers, unsigned level) {
    for (std::size_t i = 0; i < pointers.size() / 4; ++i) {
      const std::uint64_t block = le32(pointers, 4 * i);
      if (block == 0) continue;
      if (level == 0)
        give(block, 1);
      else if (const std::optional<Bytes> child = load(block))
        list(*child, level - 1);
    }
  }

 private:
  void give(std::uint64_t first, std::uint64_t count) {
    if (count != 0 && first > super_.super_block() && fits(first, count, super_.blocks)) visit_({first, count});
  }
  std::optional<Bytes> load(std::uint64_t block) {
    if (budget_ == 0 || block <= super_.super_block() || block >= super_.blocks) return std::nullopt;
    --budget_;
    visit_({block, 1});
    Bytes raw(super_.block_bytes);
    if (!drive_.read(block * super_.block_bytes, raw)) return std::nullopt;
    return raw;
  }

  Drive& drive_;
  const Super& super_;
  std::uint64_t& budget_;
  const std::function<void(Blocks)>& visit_;
};

}  // namespace

std::unique_ptr<ContentMap> map_of(std::shared_ptr<Drive> drive, const Super& super, const Inode& inode) {
  if (inode.has(kExtentsFlag)) return std::make_unique<ExtentMap>(std::move(drive), super, inode);
  return std::make_unique<ListMap>(std::move(drive), super, inode);
}

void for_each_block(Drive& drive, const Super& super, const Inode& inode, std::uint64_t& budget,
                    const std::function<void(Blocks run)>& visit) {
  Visitor visitor(drive, super, budget, visit);
  const ByteSpan map = inode.block_map();
  if (inode.has(kExtentsFlag)) return visitor.extents(map, kMaxDepth + 1);
  for (unsigned level = 0; level <= 3; ++level)
    visitor.list(level == 0 ? map.first(48) : map.subspan(4 * (11 + level), 4), level);
}

}  // namespace tintype::ext
