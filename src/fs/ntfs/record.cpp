// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/ntfs/record.h"

namespace tintype::ntfs {
namespace {

constexpr std::size_t kFixupStride = 512;  // whatever the sector size of the drive
constexpr std::size_t kRecordHeaderBytes = 42;
constexpr std::uint32_t kEndOfAttributes = 0xffffffff;

Result<Attribute> parse_attribute(ByteSpan bytes) {
  const auto broken = [] { return fail(ErrorCode::corrupt, "an attribute is malformed"); };
  Attribute out;
  out.type = le32(bytes, 0);
  out.resident = u8(bytes, 8) == 0;
  out.flags = le16(bytes, 12);
  out.instance = le16(bytes, 14);
  const std::size_t name_bytes = std::size_t{2} * u8(bytes, 9);
  const std::size_t name_at = le16(bytes, 10);
  if (name_bytes > 0) {
    if (!fits(name_at, name_bytes, bytes.size())) return broken();
    out.name = bytes.subspan(name_at, name_bytes);
  }
  if (out.resident) {
    const std::size_t length = le32(bytes, 16);
    const std::size_t at = le16(bytes, 20);
    if (!fits(at, length, bytes.size())) return broken();
    out.value = bytes.subspan(at, length);
    return out;
  }
  if (bytes.size() < 64) return broken();
  const std::size_t pairs_at = le16(bytes, 32);
  if (pairs_at < 64 || pairs_at > bytes.size()) return broken();
  out.mapping_pairs = bytes.subspan(pairs_at);
  out.lowest_vcn = le64(bytes, 16);
  out.highest_vcn = le64(bytes, 24);
  out.allocated_bytes = le64(bytes, 40);
  out.data_bytes = le64(bytes, 48);
  out.initialized_bytes = le64(bytes, 56);
  out.compression_unit = u8(bytes, 34);
  // Compressed and sparse attributes have one field more: what is really allocated.
  if ((out.flags & (kCompressedMask | kSparse)) && out.lowest_vcn == 0 && pairs_at >= 72) out.allocated_bytes = le64(bytes, 64);
  return out;
}

}  // namespace

FileReference load_reference(ByteSpan bytes, std::size_t at) {
  const std::uint64_t packed = le64(bytes, at);
  return {packed & 0x0000ffffffffffff, static_cast<std::uint16_t>(packed >> 48)};
}

bool undo_fixups(MutableByteSpan block) {
  if (block.size() < kFixupStride || block.size() % kFixupStride != 0) return false;
  const std::size_t at = le16(block, 4);
  const std::size_t count = le16(block, 6);
  if (at < 8 || at % 2 != 0 || count != block.size() / kFixupStride + 1 || at + 2 * count > kFixupStride - 2)
    return false;
  const std::uint16_t number = le16(block, at);
  for (std::size_t i = 1; i < count; ++i)
    if (le16(block, i * kFixupStride - 2) != number) return false;
  for (std::size_t i = 1; i < count; ++i)
    store_le<std::uint16_t>(block, i * kFixupStride - 2, le16(block, at + 2 * i));
  return true;
}

Result<Record> parse_record(MutableByteSpan bytes) {
  if (bytes.size() < kFixupStride || as_text(bytes.first(4)) != "FILE")
    return fail(ErrorCode::corrupt, "not a record of $MFT");
  if (!undo_fixups(bytes)) return fail(ErrorCode::corrupt, "a record of $MFT is torn");
  Record record;
  record.sequence = le16(bytes, 16);
  record.links = le16(bytes, 18);
  record.flags = le16(bytes, 22);
  record.base = load_reference(bytes, 32);
  std::size_t at = le16(bytes, 20);
  const std::size_t end = le32(bytes, 24);
  if (end > bytes.size() || at < kRecordHeaderBytes || at % 8 != 0)
    return fail(ErrorCode::corrupt, "a record of $MFT has a malformed header");
  while (true) {
    if (!fits(at, 4, end)) return fail(ErrorCode::corrupt, "the attributes of a record have no end");
    if (le32(bytes, at) == kEndOfAttributes) return record;
    const std::size_t length = fits(at, 24, end) ? le32(bytes, at + 4) : 0;
    if (length < 24 || length % 8 != 0 || !fits(at, length, end))
      return fail(ErrorCode::corrupt, "an attribute leaves its record");
    record.attributes.push_back(TRY(parse_attribute(ByteSpan(bytes).subspan(at, length))));
    at += length;
  }
}

bool name_is(ByteSpan utf16, std::string_view ascii, bool fold) {
  if (utf16.size() != 2 * ascii.size()) return false;
  for (std::size_t i = 0; i < ascii.size(); ++i) {
    std::uint16_t unit = le16(utf16, 2 * i);
    if (fold && unit >= 'A' && unit <= 'Z') unit = static_cast<std::uint16_t>(unit - 'A' + 'a');
    if (unit != static_cast<unsigned char>(ascii[i])) return false;
  }
  return true;
}

}  // namespace tintype::ntfs
