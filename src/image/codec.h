// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "image/format.h"

namespace tintype {

// Compression of one chunk at a time. One of each per thread: they own working memory.
class Compressor {
 public:
  // level: 0 none, 1 standard, 2, 7, 10 stronger (FEATURES B14).
  explicit Compressor(int level);
  ~Compressor();
  Compressor(Compressor&&) noexcept;
  // Writes the encoded form to `out` and says how long it is; 0 if it would not be noticeably shorter than `in`,
  // which is then to be stored as it is. `out` must hold compressed_bound(in.size()).
  std::size_t compress(ByteSpan in, MutableByteSpan out);
  // The same for content that resembles `base`, an earlier state of it: what is equal costs next to nothing. Needs `base`
  // again to be decoded. 0 as above, but never for level 0: there a delta is compressed at the standard level.
  std::size_t compress_delta(ByteSpan in, ByteSpan base, MutableByteSpan out);
  static std::size_t compressed_bound(std::size_t raw_bytes);

 private:
  struct Engine;
  std::unique_ptr<Engine> engine_;
};

class Decompressor {
 public:
  Decompressor();
  ~Decompressor();
  Decompressor(Decompressor&&) noexcept;
  // Fills all of `out`; anything else is Error{corrupt}. `base`: what a delta was made against.
  Result<void> decompress(Codec codec, ByteSpan in, MutableByteSpan out, ByteSpan base = {});
  // Fills `out` with the beginning of the content, at the cost of little more than that; what is encoded behind it is not looked at.
  Result<void> decompress_beginning(Codec codec, ByteSpan in, MutableByteSpan out, ByteSpan base = {});

 private:
  struct Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace tintype
