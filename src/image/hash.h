// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>

#include "base/bytes.h"
#include "image/format.h"

namespace tintype {

// SHA-256 of a run of bytes.
Hash sha256(ByteSpan bytes);

// The hash of a chunk: SHA-256 over the SHA-256 of its 32 KiB leaves. One per thread: it owns working memory.
// Leaves are hashed side by side where the processor and the library at hand can; the result is the same.
class ChunkHasher {
 public:
  ChunkHasher();
  ~ChunkHasher();
  ChunkHasher(ChunkHasher&&) noexcept;
  Hash hash(ByteSpan chunk);  // at most kChunkBytes

 private:
  struct Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace tintype
