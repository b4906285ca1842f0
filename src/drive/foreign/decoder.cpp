// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/foreign/decoder.h"

#include <bzlib.h>
#include <fmt/format.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

namespace tintype {
namespace {

constexpr std::uint64_t kMemoryLimit = 300U << 20;

std::unexpected<Error> damaged(const char* format, int code) {
  return fail(ErrorCode::corrupt, fmt::format("the {} data is damaged (code {})", format, code));
}
std::unexpected<Error> no_memory() { return fail(ErrorCode::io, "not enough memory for unpacking"); }
unsigned narrow(std::size_t size) { return static_cast<unsigned>(size); }  // buffers are far below 4 GiB

class GzipDecoder final : public Decoder {
 public:
  ~GzipDecoder() override {
    if (ready_) ::inflateEnd(&stream_);
  }
  Result<void> restart() override {
    const int code = ready_ ? ::inflateReset(&stream_) : ::inflateInit2(&stream_, 15 + 16);
    if (code != Z_OK) return no_memory();
    ready_ = true;
    return {};
  }
  Result<DecoderStep> step(ByteSpan in, MutableByteSpan out) override {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));  // NOLINT: zlib does not write there
    stream_.avail_in = narrow(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = narrow(out.size());
    const int code = ::inflate(&stream_, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) return damaged("gzip", code);
    return DecoderStep{in.size() - stream_.avail_in, out.size() - stream_.avail_out, code == Z_STREAM_END};
  }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

class Bzip2Decoder final : public Decoder {
 public:
  ~Bzip2Decoder() override { close(); }
  Result<void> restart() override {
    close();
    stream_ = {};
    if (::BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) return no_memory();
    ready_ = true;
    return {};
  }
  Result<DecoderStep> step(ByteSpan in, MutableByteSpan out) override {
    stream_.next_in = reinterpret_cast<char*>(const_cast<std::byte*>(in.data()));  // NOLINT: libbz2 does not write there
    stream_.avail_in = narrow(in.size());
    stream_.next_out = reinterpret_cast<char*>(out.data());
    stream_.avail_out = narrow(out.size());
    const int code = ::BZ2_bzDecompress(&stream_);
    if (code != BZ_OK && code != BZ_STREAM_END) return damaged("bzip2", code);
    return DecoderStep{in.size() - stream_.avail_in, out.size() - stream_.avail_out, code == BZ_STREAM_END};
  }

 private:
  void close() {
    if (ready_) ::BZ2_bzDecompressEnd(&stream_);
    ready_ = false;
  }
  bz_stream stream_{};
  bool ready_ = false;
};

class XzDecoder final : public Decoder {
 public:
  ~XzDecoder() override { ::lzma_end(&stream_); }
  Result<void> restart() override {
    if (::lzma_stream_decoder(&stream_, kMemoryLimit, 0) != LZMA_OK) return no_memory();
    return {};
  }
  Result<DecoderStep> step(ByteSpan in, MutableByteSpan out) override {
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
    stream_.avail_in = in.size();
    stream_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    stream_.avail_out = out.size();
    const lzma_ret code = ::lzma_code(&stream_, LZMA_RUN);
    if (code == LZMA_MEMLIMIT_ERROR)
      return fail(ErrorCode::unsupported, "the xz data needs more than 300 MiB of memory", "unpack it first, with xz -d");
    if (code != LZMA_OK && code != LZMA_STREAM_END && code != LZMA_BUF_ERROR) return damaged("xz", static_cast<int>(code));
    return DecoderStep{in.size() - stream_.avail_in, out.size() - stream_.avail_out, code == LZMA_STREAM_END};
  }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
};

class ZstdDecoder final : public Decoder {
 public:
  ~ZstdDecoder() override { ::ZSTD_freeDStream(stream_); }
  Result<void> restart() override {
    if (stream_ == nullptr) stream_ = ::ZSTD_createDStream();
    if (stream_ == nullptr) return no_memory();
    ::ZSTD_DCtx_reset(stream_, ZSTD_reset_session_only);
    return {};
  }
  Result<DecoderStep> step(ByteSpan in, MutableByteSpan out) override {
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    const std::size_t left = ::ZSTD_decompressStream(stream_, &output, &input);  // windows above 128 MiB are refused
    if (::ZSTD_isError(left) != 0) return fail(ErrorCode::corrupt, fmt::format("the zstd data is damaged ({})", ::ZSTD_getErrorName(left)));
    return DecoderStep{input.pos, output.pos, left == 0};
  }

 private:
  ZSTD_DStream* stream_ = nullptr;
};

class Lz4Decoder final : public Decoder {
 public:
  ~Lz4Decoder() override { ::LZ4F_freeDecompressionContext(context_); }
  Result<void> restart() override {
    if (context_ == nullptr && ::LZ4F_isError(::LZ4F_createDecompressionContext(&context_, LZ4F_VERSION)) != 0) return no_memory();
    ::LZ4F_resetDecompressionContext(context_);
    return {};
  }
  Result<DecoderStep> step(ByteSpan in, MutableByteSpan out) override {
    std::size_t taken = in.size(), made = out.size();
    const std::size_t left = ::LZ4F_decompress(context_, out.data(), &made, in.data(), &taken, nullptr);
    if (::LZ4F_isError(left) != 0) return fail(ErrorCode::corrupt, fmt::format("the lz4 data is damaged ({})", ::LZ4F_getErrorName(left)));
    return DecoderStep{taken, made, left == 0};
  }

 private:
  LZ4F_dctx* context_ = nullptr;
};

}  // namespace

std::unique_ptr<Decoder> make_decoder(Packing packing) {
  switch (packing) {
    case Packing::gzip: return std::make_unique<GzipDecoder>();
    case Packing::bzip2: return std::make_unique<Bzip2Decoder>();
    case Packing::xz: return std::make_unique<XzDecoder>();
    case Packing::zstd: return std::make_unique<ZstdDecoder>();
    case Packing::lz4: return std::make_unique<Lz4Decoder>();
    case Packing::none:
    case Packing::unsupported: break;
  }
  return nullptr;
}

}  // namespace tintype
