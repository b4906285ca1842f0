// SPDX-License-Identifier: GPL-3.0-or-later
// Source: kernel documentation, "ext4 Data Structures and Algorithms", sections Directory Entries, Inline Data.
#include "fs/ext/directory.h"

#include <fmt/format.h>

#include <algorithm>

#include "fs/ext/block_map.h"

namespace tintype::ext {
namespace {

constexpr std::size_t kHeadBytes = 8;

enum class Outcome { whole, damaged, stopped };

// Lengths of entries in blocks of 64 KiB do not fit in 16 bits as they are.
std::size_t entry_bytes(std::uint16_t stored, std::size_t block_bytes) {
  if (block_bytes < 65536) return stored;
  if (stored == 0xFFFF || stored == 0) return block_bytes;
  return (stored & 0xFFFCU) | (stored & 3U) << 16;
}

Outcome entries_in(ByteSpan raw, const EntryVisitor& visit) {
  for (std::size_t at = 0; at + kHeadBytes <= raw.size();) {
    const std::size_t length = entry_bytes(le16(raw, at + 4), raw.size());
    const std::size_t name_bytes = u8(raw, at + 6);
    if (length < kHeadBytes || length % 4 != 0 || length > raw.size() - at) return Outcome::damaged;
    if (const std::uint32_t inode = le32(raw, at); inode != 0) {
      if (name_bytes == 0 || kHeadBytes + name_bytes > length) return Outcome::damaged;
      if (!visit(inode, as_text(raw.subspan(at + kHeadBytes, name_bytes)))) return Outcome::stopped;
    }
    at += length;
  }
  return Outcome::whole;
}

std::unexpected<Error> damaged(const Inode& folder) {
  return fail(ErrorCode::corrupt, fmt::format("the folder of ext inode {} is damaged: not all of its entries can be read", folder.number()));
}

Result<void> inline_entries(const Inode& folder, const EntryVisitor& visit) {
  const auto [head, tail] = TRY(folder.inline_parts());
  if (!visit(le32(head, 0), "..")) return {};
  for (const ByteSpan part : {head.subspan(4), tail}) {
    const Outcome outcome = entries_in(part, visit);
    if (outcome == Outcome::stopped) return {};
    if (outcome == Outcome::damaged) return damaged(folder);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<FileContent>> content_of(std::shared_ptr<Drive> drive, const Super& super, const Inode& inode) {
  if (inode.has(kEncryptedFlag) && !inode.is_folder())
    return fail(ErrorCode::unsupported, fmt::format("ext inode {} is encrypted", inode.number()), "mount it where its key is");
  const std::uint64_t size = inode.size_bytes();
  if (inode.target_in_inode()) {
    const ByteSpan target = inode.block_map().first(static_cast<std::size_t>(size));
    return content_in_record(Bytes(target.begin(), target.end()));
  }
  if (!inode.has(kInlineFlag)) return mapped_content(drive, size, map_of(drive, super, inode));
  const auto [head, tail] = TRY(inode.inline_parts());
  Bytes bytes(head.begin(), head.end());
  bytes.insert(bytes.end(), tail.begin(), tail.end());
  if (size > bytes.size())
    return fail(ErrorCode::corrupt, fmt::format("ext inode {} holds fewer bytes than its size says", inode.number()));
  bytes.resize(static_cast<std::size_t>(size));
  return content_in_record(std::move(bytes));
}

Result<void> for_each_entry(const std::shared_ptr<Drive>& drive, const Super& super, const Inode& folder, const EntryVisitor& visit) {
  if (folder.has(kInlineFlag)) return inline_entries(folder, visit);
  const std::unique_ptr<FileContent> content = TRY(content_of(drive, super, folder));
  Bytes block(super.block_bytes);
  std::optional<Error> trouble;
  const std::uint64_t end = round_down(content->size_bytes(), super.block_bytes);
  // No folder has more blocks than its file system; one that says so goes in circles.
  std::uint64_t left = super.blocks;
  for (std::uint64_t at = 0; at < end;) {
    const Result<std::optional<Extent>> data = content->next_data(at);
    if (!data) return fail(data.error());
    if (!*data || (*data)->start >= end) break;
    at = round_down((*data)->start, super.block_bytes);
    if (left-- == 0) return damaged(folder);
    if (const Result<void> got = content->read(at, block); !got) {
      trouble = got.error();
    } else {
      const Outcome outcome = entries_in(block, visit);
      if (outcome == Outcome::stopped) return {};
      if (outcome == Outcome::damaged) trouble = damaged(folder).error();
    }
    at += super.block_bytes;
  }
  if (trouble) return fail(*trouble);
  return {};
}

}  // namespace tintype::ext
