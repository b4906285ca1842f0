// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "drive/linux/unique_fd.h"

namespace tintype {

// Bytes that do not fit into memory, in a sparse file under $TMPDIR (else /var/tmp) that has no name: it is gone with the object,
// and with the process. Reads and writes may come from many threads.
class SpillFile {
 public:
  // Error{no_space} if the file system there has less than expected_bytes and a reserve free.
  static Result<std::unique_ptr<SpillFile>> make(std::uint64_t expected_bytes);
  // Zeros at the end of what was written so far cost no space.
  Result<void> write(std::uint64_t offset, ByteSpan data);
  // What was never written reads as zeros.
  Result<void> read(std::uint64_t offset, MutableByteSpan out) const;

 private:
  explicit SpillFile(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace tintype
