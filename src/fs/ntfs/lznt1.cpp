// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/ntfs/lznt1.h"

#include <algorithm>
#include <bit>

namespace tintype::ntfs {
namespace {

constexpr std::size_t kChunk = 4096;

// One chunk's tokens; returns how much it gave. `out` is at most kChunk long.
Result<std::size_t> unpack_chunk(ByteSpan in, MutableByteSpan out) {
  std::size_t filled = 0;
  for (std::size_t at = 0; at < in.size();) {
    const unsigned flags = u8(in, at++);
    for (unsigned bit = 0; bit < 8 && at < in.size(); ++bit) {
      if (!((flags >> bit) & 1)) {
        if (filled == out.size()) return filled;
        out[filled++] = in[at++];
        continue;
      }
      if (filled == 0 || in.size() - at < 2) return fail(ErrorCode::corrupt, "compressed data refers to what is not there");
      const unsigned token = le16(in, at);
      at += 2;
      // The further into the chunk, the more bits for the distance: at least four, then as many as the position before needs.
      const unsigned distance_bits = std::max(4U, static_cast<unsigned>(std::bit_width(filled - 1)));
      const unsigned length_bits = 16 - distance_bits;
      const std::size_t distance = (token >> length_bits) + 1;
      const std::size_t length = (token & ((1U << length_bits) - 1)) + 3;
      if (distance > filled) return fail(ErrorCode::corrupt, "compressed data refers to what is not there");
      const std::size_t end = std::min(filled + length, out.size());
      for (; filled < end; ++filled) out[filled] = out[filled - distance];  // byte by byte: the two may overlap
    }
  }
  return filled;
}

}  // namespace

Result<void> unpack_lznt1(ByteSpan packed, MutableByteSpan out) {
  while (!out.empty() && packed.size() >= 2 && le16(packed, 0) != 0) {
    const unsigned header = le16(packed, 0);
    const std::size_t size = (header & 0x0fff) + 1;
    if (((header >> 12) & 7) != 3 || size > packed.size() - 2) return fail(ErrorCode::corrupt, "compressed data has a malformed chunk");
    const ByteSpan body = packed.subspan(2, size);
    const MutableByteSpan chunk = out.first(std::min(kChunk, out.size()));
    std::size_t filled = 0;
    if (header & 0x8000) {
      filled = TRY(unpack_chunk(body, chunk));
    } else {
      filled = std::min(body.size(), chunk.size());
      std::copy_n(body.begin(), filled, chunk.begin());
    }
    std::ranges::fill(chunk.subspan(filled), std::byte{0});
    packed = packed.subspan(2 + size);
    out = out.subspan(chunk.size());
  }
  std::ranges::fill(out, std::byte{0});
  return {};
}

}  // namespace tintype::ntfs
