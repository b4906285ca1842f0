// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/foreign/partclone_format.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace tintype {
namespace {

constexpr std::string_view kMagic = "partclone-image";
constexpr std::uint32_t kMaxBlockBytes = 64U << 20;
constexpr std::uint64_t kMaxBlocks = std::uint64_t{1} << 36;

std::unexpected<Error> corrupt(const std::string& name, const std::string& why) {
  return fail(ErrorCode::corrupt, fmt::format("the head of the partclone image {} {}", name, why), "copy it again from where it came from");
}
std::unexpected<Error> unsupported(const std::string& name, const std::string& why) {
  return fail(ErrorCode::unsupported, fmt::format("the partclone image {} {}", name, why), "restore it with partclone.restore");
}

PartcloneHeader parse_v1(ByteSpan head) {
  PartcloneHeader header;
  header.version = 1;
  header.file_system = printable(utf8_checked(head.subspan(15, 15)));
  header.block_bytes = le32(head, 36);
  header.device_bytes = le64(head, 40);
  header.total_blocks = le64(head, 48);
  header.checksum = PartcloneHeader::Checksum::first_byte_crc32;
  header.checksum_bytes = 4;
  header.blocks_per_checksum = 1;
  header.reseed = false;
  header.bitmap = PartcloneHeader::Bitmap::bytes;
  header.header_bytes = 4160;
  return header;
}

Result<void> parse_checksum(ByteSpan head, const std::string& name, PartcloneHeader& header) {
  struct Known {
    std::uint16_t mode;
    std::uint32_t bytes;
    PartcloneHeader::Checksum checksum;
  };
  static constexpr std::array kKnown{Known{0, 0, PartcloneHeader::Checksum::none}, Known{0x20, 4, PartcloneHeader::Checksum::crc32},
                                     Known{0x30, 8, PartcloneHeader::Checksum::xxh64}, Known{0x31, 16, PartcloneHeader::Checksum::xxh128}};
  const std::uint16_t mode = le16(head, 96);
  const auto known = std::ranges::find(kKnown, mode, &Known::mode);
  if (known == kKnown.end()) return unsupported(name, fmt::format("has checksums of the unknown kind 0x{:x}", mode));
  if (le16(head, 98) != known->bytes) return corrupt(name, "gives its checksums a wrong size");
  header.checksum = known->checksum;
  header.checksum_bytes = known->bytes;
  header.blocks_per_checksum = known->bytes == 0 ? 0 : le32(head, 100);
  if (known->bytes != 0 && header.blocks_per_checksum == 0) return corrupt(name, "has checksums of no blocks");
  header.reseed = u8(head, 104) != 0;
  return {};
}

Result<PartcloneHeader> parse_v2(ByteSpan head, const std::string& name) {
  if (le16(head, 34) == 0xDEC0) return unsupported(name, "was made on a big-endian machine");
  if (le16(head, 34) != 0xC0DE) return corrupt(name, "has no byte order mark");
  if (partclone_crc32(kPartcloneCrcSeed, head.first(106)) != le32(head, 106)) return corrupt(name, "does not fit its checksum");
  PartcloneHeader header;
  header.version = 2;
  header.file_system = printable(utf8_checked(head.subspan(36, 16)));
  header.device_bytes = le64(head, 52);
  header.total_blocks = le64(head, 60);
  header.block_bytes = le32(head, 84);
  header.header_bytes = 110;
  TRY(parse_checksum(head, name, header));
  switch (u8(head, 105)) {
    case 0: header.bitmap = PartcloneHeader::Bitmap::all_used; break;
    case 1: header.bitmap = PartcloneHeader::Bitmap::bits; break;
    case 8: header.bitmap = PartcloneHeader::Bitmap::bytes; break;
    default: return unsupported(name, "has a used map of an unknown kind");
  }
  return header;
}

}  // namespace

bool is_partclone(ByteSpan head) { return as_text(head).starts_with(kMagic); }

Result<PartcloneHeader> parse_partclone_header(ByteSpan head, const std::string& name) {
  if (head.size() < kPartcloneHeadBytes || !is_partclone(head)) return corrupt(name, "is not there");
  const std::string_view version = as_text(head.subspan(30, 4));
  if (version != "0001" && version != "0002")
    return unsupported(name, fmt::format("has the format version '{}'", printable(utf8_checked(head.subspan(30, 4)))));
  PartcloneHeader header = version == "0001" ? parse_v1(head) : TRY(parse_v2(head, name));
  if (header.block_bytes == 0 || header.block_bytes > kMaxBlockBytes) return corrupt(name, fmt::format("gives blocks of {} bytes", header.block_bytes));
  if (header.total_blocks == 0) return corrupt(name, "counts no blocks");
  if (header.total_blocks > kMaxBlocks) return unsupported(name, fmt::format("counts {} blocks", header.total_blocks));
  const auto blocks_bytes = checked_mul(header.total_blocks, header.block_bytes);
  if (!blocks_bytes || std::max(*blocks_bytes, header.device_bytes) > std::uint64_t{1} << 62) return corrupt(name, "gives an impossible size");
  // Version 1 tools could round the device down to whatever the file system said of itself.
  if (header.version == 2 && *blocks_bytes > header.device_bytes) return corrupt(name, "has a file system larger than its device");
  header.device_bytes = std::max(header.device_bytes, *blocks_bytes);
  if (header.bitmap == PartcloneHeader::Bitmap::bits) header.bitmap_bytes = div_round_up(header.total_blocks, 8);
  if (header.bitmap == PartcloneHeader::Bitmap::bytes) header.bitmap_bytes = header.total_blocks;
  return header;
}

std::uint32_t partclone_crc32(std::uint32_t state, ByteSpan bytes) {
  return ~static_cast<std::uint32_t>(::crc32_z(~state & 0xFFFFFFFFU, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::uint32_t partclone_crc32_v1(std::uint32_t state, ByteSpan block) {
  if (block.empty()) return state;
  std::array<std::byte, 4096> same;
  same.fill(block.front());
  for (std::size_t left = block.size(); left > 0;) {
    const std::size_t length = std::min(left, same.size());
    state = partclone_crc32(state, ByteSpan(same).first(length));
    left -= length;
  }
  return state;
}

}  // namespace tintype
