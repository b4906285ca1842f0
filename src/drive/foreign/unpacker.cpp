// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/foreign/unpacker.h"

#include <fmt/format.h>

#include <algorithm>

#include "drive/foreign/decoder.h"

namespace tintype {
namespace {

constexpr std::size_t kInputBytes = 128 * 1024;

// Reads the packed file piece by piece and gives it to a decoder. Several frames one after the other are one stream, as
// pigz, pbzip2, pzstd and `cat` make them.
class FileUnpacker final : public Unpacker {
 public:
  FileUnpacker(std::shared_ptr<Drive> packed, std::unique_ptr<Decoder> decoder)
      : packed_(std::move(packed)), decoder_(std::move(decoder)), buffer_(kInputBytes) {}

  Result<std::size_t> read(MutableByteSpan out) override {
    std::size_t made = 0;
    while (made < out.size()) {
      if (input_.empty()) TRY(refill());
      if (input_.empty() && between_frames_) break;
      if (between_frames_) TRY(decoder_->restart());
      between_frames_ = false;
      Result<DecoderStep> step = decoder_->step(input_, out.subspan(made));
      if (!step) return fail(std::move(step.error()).within(packed_->info().path));
      input_ = input_.subspan(step->taken);
      made += step->made;
      between_frames_ = step->ended;
      if (step->taken == 0 && step->made == 0 && !step->ended)
        return fail(ErrorCode::corrupt, fmt::format("the compressed data of {} {}", packed_->info().path, input_.empty() ? "is cut off" : "is damaged"),
                    input_.empty() ? "are all its parts there (.aa, .ab …)?" : "");
    }
    return made;
  }

 private:
  Result<void> refill() {
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(kInputBytes, packed_->size_bytes() - position_));
    TRY(packed_->read(position_, MutableByteSpan(buffer_).first(length)));
    position_ += length;
    input_ = ByteSpan(buffer_).first(length);
    return {};
  }

  std::shared_ptr<Drive> packed_;
  std::unique_ptr<Decoder> decoder_;
  Bytes buffer_;
  ByteSpan input_;
  std::uint64_t position_ = 0;
  bool between_frames_ = true;
};

bool begins(ByteSpan head, std::string_view magic) { return as_text(head).starts_with(magic); }

}  // namespace

Packing packing_of(ByteSpan head) {
  using namespace std::string_view_literals;
  if (begins(head, "\x1F\x8B\x08"sv)) return Packing::gzip;
  if (begins(head, "\x28\xB5\x2F\xFD"sv)) return Packing::zstd;
  if (begins(head, "\xFD" "7zXZ\0"sv)) return Packing::xz;
  if (begins(head, "\x04\x22\x4D\x18"sv)) return Packing::lz4;
  if (begins(head, "BZh"sv)) return Packing::bzip2;
  for (const std::string_view magic : {"LZIP"sv, "\x89LZO"sv, "LRZI"sv, "\x5D\0\0"sv})
    if (begins(head, magic)) return Packing::unsupported;
  return Packing::none;
}

Result<std::unique_ptr<Unpacker>> make_unpacker(std::shared_ptr<Drive> packed, Packing packing) {
  std::unique_ptr<Decoder> decoder = make_decoder(packing);
  if (!decoder)
    return fail(ErrorCode::unsupported, fmt::format("{} is compressed in a way that is not read here", packed->info().path),
                "unpack it first, with lzip, lzop, lrzip or xz --format=lzma");
  return std::make_unique<FileUnpacker>(std::move(packed), std::move(decoder));
}

}  // namespace tintype
