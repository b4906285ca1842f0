// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/codec.h"

#include <zstd.h>

namespace tintype {
namespace {

// Below this gain the reader's time is worth more than the space.
constexpr std::size_t kGainShift = 6;  // 1/64

int zstd_level(int level) {
  switch (level) {
    case 1: return 1;
    case 2: return 3;
    case 7: return 9;
    case 10: return 19;
    default: return level;
  }
}

}  // namespace

struct Compressor::Engine {
  int level = 1;
  ZSTD_CCtx* context = nullptr;
  ~Engine() { ZSTD_freeCCtx(context); }
};

Compressor::Compressor(int level) : engine_(std::make_unique<Engine>()) {
  engine_->level = level;
  if (level == 0) return;
  engine_->context = ZSTD_createCCtx();
  // The frame around the zstd data says the size and has a checksum of its own.
  ZSTD_CCtx_setParameter(engine_->context, ZSTD_c_compressionLevel, zstd_level(level));
  ZSTD_CCtx_setParameter(engine_->context, ZSTD_c_contentSizeFlag, 0);
  ZSTD_CCtx_setParameter(engine_->context, ZSTD_c_checksumFlag, 0);
}
Compressor::~Compressor() = default;
Compressor::Compressor(Compressor&&) noexcept = default;

std::size_t Compressor::compress(ByteSpan in, MutableByteSpan out) {
  if (engine_->level == 0 || engine_->context == nullptr) return 0;
  const std::size_t n = ZSTD_compress2(engine_->context, out.data(), out.size(), in.data(), in.size());
  if (ZSTD_isError(n) || n >= in.size() - (in.size() >> kGainShift)) return 0;
  return n;
}

std::size_t Compressor::compressed_bound(std::size_t raw_bytes) { return ZSTD_compressBound(raw_bytes); }

struct Decompressor::Engine {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  ~Engine() { ZSTD_freeDCtx(context); }
};

Decompressor::Decompressor() : engine_(std::make_unique<Engine>()) {}
Decompressor::~Decompressor() = default;
Decompressor::Decompressor(Decompressor&&) noexcept = default;

Result<void> Decompressor::decompress(Codec codec, ByteSpan in, MutableByteSpan out) {
  switch (codec) {
    case Codec::stored:
      if (in.size() != out.size()) return fail(ErrorCode::corrupt, "stored data has the wrong length");
      if (!in.empty() && in.data() != out.data()) std::memcpy(out.data(), in.data(), in.size());
      return {};
    case Codec::zstd: {
      const std::size_t n = ZSTD_decompressDCtx(engine_->context, out.data(), out.size(), in.data(), in.size());
      if (ZSTD_isError(n) || n != out.size()) return fail(ErrorCode::corrupt, "compressed data does not decode");
      return {};
    }
  }
  return fail(ErrorCode::unsupported, "unknown codec", "use a newer tintype");
}

}  // namespace tintype
