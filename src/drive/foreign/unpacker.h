// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "drive/drive.h"

namespace tintype {

// How a file is compressed. Sources of the magic numbers: RFC 1952, RFC 8878, the formats of xz and LZ4 frames, bzip2's source.
enum class Packing { none, gzip, zstd, xz, lz4, bzip2, unsupported };
// By its first bytes (six are enough). unsupported: lzip, lzop, lrzip, lzma: known, but not unpacked here.
Packing packing_of(ByteSpan head);

// Unpacks a file from front to back. One thread. Memory is bounded: what needs more than 300 MiB is Error{unsupported}.
class Unpacker {
 public:
  virtual ~Unpacker() = default;
  // Fills all of `out` unless the data ends; says how much. Error{corrupt}: damaged or cut off.
  virtual Result<std::size_t> read(MutableByteSpan out) = 0;
};
Result<std::unique_ptr<Unpacker>> make_unpacker(std::shared_ptr<Drive> packed, Packing packing);

}  // namespace tintype
