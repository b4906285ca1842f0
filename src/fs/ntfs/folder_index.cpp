// SPDX-License-Identifier: GPL-3.0-or-later
// Source: ntfs-3g's layout.h (INDEX_ROOT, INDEX_BLOCK, INDEX_ENTRY).
#include "fs/ntfs/folder_index.h"

#include <fmt/format.h>

#include <algorithm>

namespace tintype::ntfs {
namespace {

constexpr std::uint16_t kLastEntry = 2;
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

class Blocks {
 public:
  Blocks(const Mft& mft, const Stream& blocks, const Stream& bitmap, std::uint32_t block_bytes)
      : mft_(mft), blocks_(blocks), bitmap_(bitmap), block_(block_bytes) {}

  Result<void> visit_all(const NameVisit& visit) {
    Result<void> first_problem;
    const auto note = [&](Error&& error) {
      if (first_problem) first_problem = fail(std::move(error));
    };
    const std::uint64_t count = blocks_.data_bytes / block_.size();
    Bytes bits(kBitmapWindow);
    for (std::uint64_t first = 0; first < count && first / 8 < bitmap_.data_bytes; first += 8 * kBitmapWindow) {
      const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kBitmapWindow, bitmap_.data_bytes - first / 8));
      std::ranges::fill(bits, std::byte{0});
      // Without its bitmap every block that looks like one is taken: an old name too many is better than a file that is not shown.
      const Result<void> read = mft_.read(bitmap_, first / 8, MutableByteSpan(bits).first(wanted));
      if (!read) note(Error(read.error()));
      for (std::uint64_t i = 0; i < 8 * wanted && first + i < count; ++i) {
        if (read && !((u8(bits, i / 8) >> (i % 8)) & 1)) continue;
        auto more = visit_block(first + i, visit);
        if (!more && read) note(std::move(more.error()).within(fmt::format("block {} of a folder's index", first + i)));
        if (more && !*more) return {};
      }
    }
    return first_problem;
  }

 private:
  Result<bool> visit_block(std::uint64_t number, const NameVisit& visit) {
    TRY(mft_.read(blocks_, number * block_.size(), block_));
    if (as_text(ByteSpan(block_).first(4)) != "INDX" || !undo_fixups(block_))
      return broken("a block of a directory index is damaged");
    return visit_entries(ByteSpan(block_).subspan(kBlockHeader), visit);
  }

  const Mft& mft_;
  const Stream& blocks_;
  const Stream& bitmap_;
  Bytes block_;
};

}  // namespace

bool is_index_part(std::uint32_t type, ByteSpan name) {
  return (type == kIndexRoot || type == kIndexAllocation || type == kBitmap) && name_is(name, "$I30");
}

Result<void> for_each_name(const Mft& mft, const File& folder, const NameVisit& visit) {
  const Stream* root = folder.find(kIndexRoot, "$I30");
  if (!(folder.flags & kDirectory) || !root || !root->resident || root->value.size() < 2 * kRootHeader)
    return broken("a directory has no index");
  const auto more = visit_entries(ByteSpan(root->value).subspan(kRootHeader), visit);
  if (more && !*more) return {};
  Result<void> in_root = more ? Result<void>() : Result<void>(fail(more.error()));
  const Stream* blocks = folder.find(kIndexAllocation, "$I30");
  if (!blocks) return in_root;
  const Stream* bitmap = folder.find(kBitmap, "$I30");
  const std::uint32_t block_bytes = le32(root->value, 8);
  if (!bitmap || block_bytes < 512 || block_bytes > 64 * 1024 || block_bytes % 512 != 0 || blocks->resident ||
      blocks->runs.has_holes() || bitmap->runs.has_holes() || blocks->data_bytes > mft.boot().clusters_end() ||
      bitmap->data_bytes > mft.boot().clusters_end())
    return broken("a directory index has an impossible size");
  TRY(Blocks(mft, *blocks, *bitmap, block_bytes).visit_all(visit));
  return in_root;
}

}  // namespace tintype::ntfs
