// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "drive/drive.h"
#include "drive/foreign/unpacker.h"

namespace tintype {

// The bytes of a foreign image, whether its file is compressed or not. Any number of threads.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // All or fail; Error{corrupt} if the data ends before or does not unpack.
  virtual Result<void> read(std::uint64_t offset, MutableByteSpan out) = 0;
  // Empty if only unpacking all of it would tell.
  virtual std::optional<std::uint64_t> size_bytes() const = 0;
  // So much will be read at most; decides whether a temporary file can hold it.
  virtual void expect(std::uint64_t bytes) { std::ignore = bytes; }
};

std::shared_ptr<ByteSource> plain_source(std::shared_ptr<Drive> file);

// Unpacks in order, and keeps the last 8 MiB. The first time that something before them is wanted, it starts again and puts what it unpacks into
// a temporary file, so that nothing is unpacked a third time; without space for that it starts again each time.
std::shared_ptr<ByteSource> packed_source(std::shared_ptr<Drive> file, Packing packing);

// Finds out by the first bytes. Error{unsupported} for compressions that are known but not read.
Result<std::shared_ptr<ByteSource>> open_byte_source(std::shared_ptr<Drive> file);

}  // namespace tintype
