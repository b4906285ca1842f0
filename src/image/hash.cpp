// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/hash.h"

#include <openssl/sha.h>

#include <array>

#include "image/multi_hash.h"

namespace tintype {

Hash sha256(ByteSpan bytes) {
  Hash out{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

struct ChunkHasher::Engine {
  std::unique_ptr<MultiHash> multi = make_multi_hash();  // null: one leaf after the other
  std::array<Hash, kChunkBytes / kLeafBytes> leaves{};
};

ChunkHasher::ChunkHasher() : engine_(std::make_unique<Engine>()) {}
ChunkHasher::~ChunkHasher() = default;
ChunkHasher::ChunkHasher(ChunkHasher&&) noexcept = default;

Hash ChunkHasher::hash(ByteSpan chunk) {
  const std::size_t count = static_cast<std::size_t>(div_round_up(chunk.size(), kLeafBytes));
  const std::span<Hash> leaves = std::span(engine_->leaves).first(count);
  if (engine_->multi) {
    engine_->multi->hash(chunk, kLeafBytes, leaves);
  } else {
    for (std::size_t i = 0; i < count; ++i)
      leaves[i] = sha256(chunk.subspan(i * kLeafBytes, std::min<std::size_t>(kLeafBytes, chunk.size() - i * kLeafBytes)));
  }
  return sha256(std::as_bytes(leaves));
}

}  // namespace tintype
