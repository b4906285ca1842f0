// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/codec.h"

#include <zstd.h>

#include <algorithm>

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

// A delta sees the whole earlier state of the chunk and the chunk itself.
constexpr int kDeltaWindowLog = 21;
// At the fast levels the table that finds matches is sized for the chunk alone; a state of 512 KiB in front of it would push
// its own beginning out again. Measured on a 2 % change: 17 bits halve the size of 14.
constexpr int kDeltaHashLog = 17;

ZSTD_CCtx* make_context(int level) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  // The frame around the zstd data says the size and has a checksum of its own.
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, zstd_level(level));
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 0);
  return context;
}

std::size_t worth_it(std::size_t compressed, std::size_t raw) {
  return ZSTD_isError(compressed) || compressed >= raw - (raw >> kGainShift) ? 0 : compressed;
}

}  // namespace

struct Compressor::Engine {
  int level = 1;
  ZSTD_CCtx* context = nullptr;
  ZSTD_CCtx* delta_context = nullptr;  // made when first needed
  ~Engine() {
    ZSTD_freeCCtx(context);
    ZSTD_freeCCtx(delta_context);
  }
};

Compressor::Compressor(int level) : engine_(std::make_unique<Engine>()) {
  engine_->level = level;
  if (level == 0) return;
  engine_->context = make_context(level);
}
Compressor::~Compressor() = default;
Compressor::Compressor(Compressor&&) noexcept = default;

std::size_t Compressor::compress(ByteSpan in, MutableByteSpan out) {
  if (engine_->level == 0 || engine_->context == nullptr) return 0;
  return worth_it(ZSTD_compress2(engine_->context, out.data(), out.size(), in.data(), in.size()), in.size());
}

std::size_t Compressor::compress_delta(ByteSpan in, ByteSpan base, MutableByteSpan out) {
  if (engine_->delta_context == nullptr) {
    const int level = std::max(engine_->level, 1);
    engine_->delta_context = make_context(level);
    ZSTD_CCtx_setParameter(engine_->delta_context, ZSTD_c_windowLog, kDeltaWindowLog);
    if (zstd_level(level) <= 3) ZSTD_CCtx_setParameter(engine_->delta_context, ZSTD_c_hashLog, kDeltaHashLog);
  }
  ZSTD_CCtx_refPrefix(engine_->delta_context, base.data(), base.size());
  return worth_it(ZSTD_compress2(engine_->delta_context, out.data(), out.size(), in.data(), in.size()), in.size());
}

std::size_t Compressor::compressed_bound(std::size_t raw_bytes) { return ZSTD_compressBound(raw_bytes); }

struct Decompressor::Engine {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  Engine() { ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, kDeltaWindowLog); }  // for beginnings: no more memory than what is ours needs
  ~Engine() { ZSTD_freeDCtx(context); }
  // For one frame of this codec.
  Result<void> prepare(Codec codec, ByteSpan base) {
    if (codec == Codec::zstd) return {};
    if (codec != Codec::delta) return fail(ErrorCode::unsupported, "unknown codec", "use a newer tintype");
    if (base.empty()) return fail(ErrorCode::corrupt, "there is nothing that a delta can be based on");
    ZSTD_DCtx_refPrefix(context, base.data(), base.size());
    return {};
  }
  Result<void> fill(MutableByteSpan out, ByteSpan in) {
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    while (to.pos < to.size) {
      const std::size_t before = to.pos + from.pos;
      if (ZSTD_isError(ZSTD_decompressStream(context, &to, &from)) || to.pos + from.pos == before)
        return fail(ErrorCode::corrupt, "compressed data does not decode");
    }
    return {};
  }
};

Decompressor::Decompressor() : engine_(std::make_unique<Engine>()) {}
Decompressor::~Decompressor() = default;
Decompressor::Decompressor(Decompressor&&) noexcept = default;

Result<void> Decompressor::decompress(Codec codec, ByteSpan in, MutableByteSpan out, ByteSpan base) {
  if (codec == Codec::stored) {
    if (in.size() != out.size()) return fail(ErrorCode::corrupt, "stored data has the wrong length");
    if (!in.empty() && in.data() != out.data()) std::memcpy(out.data(), in.data(), in.size());
    return {};
  }
  TRY(engine_->prepare(codec, base));
  const std::size_t n = ZSTD_decompressDCtx(engine_->context, out.data(), out.size(), in.data(), in.size());
  if (ZSTD_isError(n) || n != out.size()) return fail(ErrorCode::corrupt, "compressed data does not decode");
  return {};
}

Result<void> Decompressor::decompress_beginning(Codec codec, ByteSpan in, MutableByteSpan out, ByteSpan base) {
  if (codec == Codec::stored) return decompress(codec, in.first(std::min(in.size(), out.size())), out);
  TRY(engine_->prepare(codec, base));
  Result<void> filled = engine_->fill(out, in);
  ZSTD_DCtx_reset(engine_->context, ZSTD_reset_session_only);
  ZSTD_DCtx_refPrefix(engine_->context, nullptr, 0);  // of a frame that did not even begin it would stay for the next one
  return filled;
}

}  // namespace tintype
