// SPDX-License-Identifier: GPL-3.0-or-later
// Source: ntfs-3g's layout.h (INDEX_ROOT, INDEX_BLOCK, INDEX_ENTRY).
#include "fs/ntfs/folder_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <unordered_set>

namespace tintype::ntfs {
namespace {

constexpr std::uint16_t kHasNode = 1;
constexpr std::uint16_t kLastEntry = 2;
constexpr std::size_t kMostPlaces = 8;
constexpr std::size_t kTellAhead = 16;  // blocks
constexpr unsigned kMostLevels = 16;
constexpr std::size_t kRootHeader = 16;
constexpr std::size_t kBlockHeader = 24;
constexpr std::size_t kBitmapWindow = 4096;

std::unexpected<Error> broken(const char* what) { return fail(ErrorCode::corrupt, what); }

// The entries behind an INDEX_HEADER. False: visit wants no more.
Result<bool> visit_entries(ByteSpan header, const NameVisit& visit) {
  const auto malformed = [] { return broken("a directory index is malformed"); };
  if (header.size() < 16) return malformed();
  std::size_t at = le32(header, 0);
  const std::size_t end = le32(header, 4);
  if (at < 16 || end > header.size()) return malformed();
  while (true) {
    if (!fits(at, 16, end)) return malformed();
    const std::size_t length = le16(header, at + 8);
    if (length < 16 || length % 8 != 0 || !fits(at, length, end)) return malformed();
    if (le16(header, at + 12) & kLastEntry) return true;
    const std::size_t key_bytes = le16(header, at + 10);
    if (!fits(16, key_bytes, length)) return malformed();
    const auto name = parse_file_name(header.subspan(at + 16, key_bytes));
    if (!name) return malformed();
    if (!visit(load_reference(header, at), *name)) return false;
    at += length;
  }
}

// The node below these entries that a folded name belongs to, as they count nodes; empty: there is none, or the name stands here.
std::optional<std::uint64_t> node_below(ByteSpan header, const std::u16string& name, const UpCase& upcase) {
  if (header.size() < 16) return std::nullopt;
  std::size_t at = le32(header, 0);
  const std::size_t end = std::min<std::size_t>(le32(header, 4), header.size());
  while (at >= 16 && fits(at, 16, end)) {
    const std::size_t length = le16(header, at + 8);
    const unsigned flags = le16(header, at + 12);
    if (length < 16 || length % 8 != 0 || !fits(at, length, end)) return std::nullopt;
    bool before = false;
    if ((flags & kLastEntry) == 0) {
      const std::size_t key_bytes = le16(header, at + 10);
      const auto key = fits(16, key_bytes, length) ? parse_file_name(header.subspan(at + 16, key_bytes)) : std::nullopt;
      if (!key) return std::nullopt;
      const std::u16string folded = upcase.folded(key->name);
      if (folded == name) return std::nullopt;
      before = folded < name;
    }
    if (!before) return (flags & kHasNode) != 0 && length >= 24 ? std::optional(le64(header, at + length - 8)) : std::nullopt;
    at += length;
  }
  return std::nullopt;
}

class Blocks {
 public:
  Blocks(const Mft& mft, const Stream& blocks, const Stream& bitmap, std::uint32_t block_bytes)
      : mft_(mft), blocks_(blocks), bitmap_(bitmap), block_(block_bytes) {}

  // Nodes are counted in clusters, or in sectors of 512 bytes where a cluster is larger than a block.
  std::optional<std::uint64_t> offset_of(std::uint64_t node) const {
    const std::uint64_t unit = mft_.boot().cluster_bytes <= block_.size() ? mft_.boot().cluster_bytes : 512;
    const auto offset = checked_mul(node, unit);
    return offset && *offset % block_.size() == 0 && fits(*offset, block_.size(), blocks_.data_bytes) ? offset : std::nullopt;
  }

  // Down the tree to where the names should be, level by level and each level in the order of the drive. False: visit wants no more.
  bool visit_towards(ByteSpan root, const std::vector<std::u16string>& names, const UpCase& upcase, const NameVisit& visit) {
    std::vector<const std::u16string*> all;
    for (const std::u16string& name : names) all.push_back(&name);
    Level level;
    add_below(root, all, upcase, level);
    for (unsigned depth = 0; !level.empty() && depth < kMostLevels; ++depth) {
      Level next;
      auto told = level.begin();
      std::size_t ahead = 0;
      for (const auto& [place, block] : level) {
        for (; told != level.end() && ahead < kTellAhead; ++told, ++ahead) mft_.drive().will_need(told->first, block_.size());
        --ahead;
        if (!in_use(block.number) || !visited_.insert(block.number).second) continue;
        const Result<bool> more = visit_block(block.number, visit);
        if (!more) {
          note(block.number, Error(more.error()));
          continue;
        }
        if (!*more) return false;
        add_below(ByteSpan(block_).subspan(kBlockHeader), block.names, upcase, next);
      }
      level = std::move(next);
    }
    return true;
  }

  Result<void> visit_all(const NameVisit& visit) {
    const std::uint64_t count = blocks_.data_bytes / block_.size();
    Bytes bits(kBitmapWindow);
    for (std::uint64_t first = 0; first < count && first / 8 < bitmap_.data_bytes; first += 8 * kBitmapWindow) {
      const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kBitmapWindow, bitmap_.data_bytes - first / 8));
      std::ranges::fill(bits, std::byte{0});
      // Without its bitmap every block that looks like one is taken: an old name too many is better than a file that is not shown.
      const Result<void> read = mft_.read(bitmap_, first / 8, MutableByteSpan(bits).first(wanted));
      if (!read && first_problem_) first_problem_ = fail(Error(read.error()));
      for (std::uint64_t i = 0; i < 8 * wanted && first + i < count; ++i) {
        if (visited_.contains(first + i) || (read && !((u8(bits, i / 8) >> (i % 8)) & 1))) continue;
        auto more = visit_block(first + i, visit);
        if (!more && read) note(first + i, std::move(more.error()));
        if (more && !*more) return {};
      }
    }
    return std::move(first_problem_);
  }

 private:
  struct Wanted {
    std::uint64_t number = 0;
    std::vector<const std::u16string*> names;
  };
  using Level = std::map<std::uint64_t, Wanted>;  // by where on the drive

  void add_below(ByteSpan header, const std::vector<const std::u16string*>& names, const UpCase& upcase, Level& out) const {
    for (const std::u16string* name : names) {
      const auto node = node_below(header, *name, upcase);
      const auto offset = node ? offset_of(*node) : std::nullopt;
      const auto place = offset ? blocks_.runs.place_of(*offset, mft_.boot().cluster_bytes) : std::nullopt;
      if (!place) continue;
      Wanted& block = out[*place];
      block.number = *offset / block_.size();
      block.names.push_back(name);
    }
  }

  void note(std::uint64_t number, Error error) {
    if (first_problem_) first_problem_ = fail(std::move(error).within(fmt::format("block {} of a folder's index", number)));
  }

  bool in_use(std::uint64_t number) const {
    std::array<std::byte, 1> bits{};
    return number / 8 < bitmap_.data_bytes && mft_.read(bitmap_, number / 8, bits) && ((u8(bits, 0) >> (number % 8)) & 1) != 0;
  }

  Result<void> load(std::uint64_t number) {
    TRY(mft_.read(blocks_, number * block_.size(), block_));
    if (as_text(ByteSpan(block_).first(4)) != "INDX" || !undo_fixups(block_))
      return broken("a block of a directory index is damaged");
    return {};
  }

  Result<bool> visit_block(std::uint64_t number, const NameVisit& visit) {
    TRY(load(number));
    return visit_entries(ByteSpan(block_).subspan(kBlockHeader), visit);
  }

  const Mft& mft_;
  const Stream& blocks_;
  const Stream& bitmap_;
  Bytes block_;
  std::unordered_set<std::uint64_t> visited_;
  Result<void> first_problem_;
};

// The parts of a folder's index; no blocks if all of it is in the root. Error{corrupt} if they cannot be.
struct IndexParts {
  ByteSpan root;  // its INDEX_HEADER and what follows
  std::uint32_t block_bytes = 0;
  const Stream* blocks = nullptr;
  const Stream* bitmap = nullptr;
};

Result<IndexParts> index_root(const File& folder) {
  const Stream* root = folder.find(kIndexRoot, "$I30");
  if (!(folder.flags & kDirectory) || !root || !root->resident || root->value.size() < 2 * kRootHeader) return broken("a directory has no index");
  return IndexParts{ByteSpan(root->value).subspan(kRootHeader), le32(root->value, 8), folder.find(kIndexAllocation, "$I30"), folder.find(kBitmap, "$I30")};
}

bool are_possible(const IndexParts& parts, const Mft& mft) {
  return parts.bitmap != nullptr && parts.block_bytes >= 512 && parts.block_bytes <= 64 * 1024 && parts.block_bytes % 512 == 0 &&
         !parts.blocks->resident && !parts.blocks->runs.has_holes() && !parts.bitmap->runs.has_holes() &&
         parts.blocks->data_bytes <= mft.boot().clusters_end() && parts.bitmap->data_bytes <= mft.boot().clusters_end();
}

}  // namespace

bool is_index_part(std::uint32_t type, ByteSpan name) {
  return (type == kIndexRoot || type == kIndexAllocation || type == kBitmap) && name_is(name, "$I30");
}

Result<void> for_each_name(const Mft& mft, const File& folder, const NameVisit& visit, const UpCase* upcase,
                           const std::vector<std::u16string>& first) {
  const IndexParts parts = TRY(index_root(folder));
  const auto more = visit_entries(parts.root, visit);
  if (more && !*more) return {};
  Result<void> in_root = more ? Result<void>() : Result<void>(fail(more.error()));
  if (parts.blocks == nullptr) return in_root;
  if (!are_possible(parts, mft)) return broken("a directory index has an impossible size");
  Blocks blocks(mft, *parts.blocks, *parts.bitmap, parts.block_bytes);
  if (upcase != nullptr && !blocks.visit_towards(parts.root, first, *upcase, visit)) return {};
  TRY(blocks.visit_all(visit));
  return in_root;
}

std::vector<Extent> index_places(const Mft& mft, const File& folder, const UpCase& upcase, const std::vector<std::u16string>& names) {
  const Result<IndexParts> parts = index_root(folder);
  if (!parts || parts->blocks == nullptr || !are_possible(*parts, mft)) return {};
  const Blocks blocks(mft, *parts->blocks, *parts->bitmap, parts->block_bytes);
  std::set<std::uint64_t> places;
  for (const std::u16string& name : names) {
    const auto node = node_below(parts->root, name, upcase);
    const auto offset = node ? blocks.offset_of(*node) : std::nullopt;
    if (const auto place = offset ? parts->blocks->runs.place_of(*offset, mft.boot().cluster_bytes) : std::nullopt) places.insert(*place);
  }
  std::vector<Extent> out;
  for (const std::uint64_t place : places) out.push_back({place, parts->block_bytes});
  if (out.empty()) out = parts->blocks->runs.extents(mft.boot().cluster_bytes);
  if (out.size() > kMostPlaces) out.resize(kMostPlaces);
  return out;
}

}  // namespace tintype::ntfs
