// SPDX-License-Identifier: GPL-3.0-or-later
// Source: ntfs-3g's layout.h (INDEX_ROOT, INDEX_BLOCK, INDEX_ENTRY, FILE_NAME_ATTR).
#include "fs/ntfs/root_index.h"

namespace tintype::ntfs {
namespace {

constexpr std::uint64_t kMaxIndexBytes = 256 * 1024 * 1024;
constexpr std::size_t kMaxFound = 64;
constexpr std::uint16_t kLastEntry = 2;
constexpr std::size_t kFileNameHeader = 66;

Result<void> collect_entries(ByteSpan header, const std::vector<std::string_view>& wanted,
                             std::vector<DirectoryEntry>& found) {
  const auto broken = [] { return fail(ErrorCode::corrupt, "a directory index is malformed"); };
  if (header.size() < 16) return broken();
  std::size_t at = le32(header, 0);
  const std::size_t end = le32(header, 4);
  if (at < 16 || end > header.size()) return broken();
  while (true) {
    if (!fits(at, 16, end)) return broken();
    const std::size_t length = le16(header, at + 8);
    if (length < 16 || length % 8 != 0 || !fits(at, length, end)) return broken();
    if (le16(header, at + 12) & kLastEntry) return {};
    const std::size_t key_bytes = le16(header, at + 10);
    if (key_bytes < kFileNameHeader || !fits(16, key_bytes, length)) return broken();
    const ByteSpan key = header.subspan(at + 16, key_bytes);
    const std::size_t name_bytes = std::size_t{2} * u8(key, 64);
    if (!fits(kFileNameHeader, name_bytes, key_bytes)) return broken();
    const ByteSpan name = key.subspan(kFileNameHeader, name_bytes);
    for (const std::string_view want : wanted) {
      if (!name_is(name, want, true)) continue;
      if (found.size() == kMaxFound) return broken();
      found.push_back({load_reference(header, at), Bytes(name.begin(), name.end())});
    }
    at += length;
  }
}

}  // namespace

Result<std::vector<DirectoryEntry>> find_names(const Mft& mft, const File& directory,
                                               const std::vector<std::string_view>& wanted) {
  std::vector<DirectoryEntry> found;
  const Stream* root = directory.find(kIndexRoot, "$I30");
  if (!(directory.flags & kDirectory) || !root || !root->resident || root->value.size() < 32)
    return fail(ErrorCode::corrupt, "a directory has no index");
  TRY(collect_entries(ByteSpan(root->value).subspan(16), wanted, found));

  const Stream* blocks = directory.find(kIndexAllocation, "$I30");
  if (!blocks) return found;
  const Stream* bitmap = directory.find(kBitmap, "$I30");
  const std::uint32_t block_bytes = le32(root->value, 8);
  if (!bitmap || block_bytes < 512 || block_bytes > 64 * 1024 || block_bytes % 512 != 0 ||
      blocks->data_bytes > kMaxIndexBytes || bitmap->data_bytes > kMaxIndexBytes / 512)
    return fail(ErrorCode::corrupt, "a directory index has an impossible size");
  Bytes bits(bitmap->data_bytes);
  TRY(mft.read(*bitmap, 0, bits));
  Bytes block(block_bytes);
  const std::uint64_t count = blocks->data_bytes / block_bytes;
  for (std::uint64_t i = 0; i < count && i / 8 < bits.size(); ++i) {
    if (!((u8(bits, i / 8) >> (i % 8)) & 1)) continue;
    TRY(mft.read(*blocks, i * block_bytes, block));
    if (as_text(ByteSpan(block).first(4)) != "INDX" || !undo_fixups(block))
      return fail(ErrorCode::corrupt, "a block of a directory index is damaged");
    TRY(collect_entries(ByteSpan(block).subspan(24), wanted, found));
  }
  return found;
}

}  // namespace tintype::ntfs
