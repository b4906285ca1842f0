// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/frame_scan.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace tintype {
namespace {

constexpr std::size_t kWindowBytes = 256 * 1024;
constexpr std::size_t kMarkerBytes = 8;
constexpr std::uint64_t kBlockBytes = 4096;
// How often over a hostile file may make us read it when headers overlap or promise payloads that are not there.
constexpr std::uint64_t kMostPasses = 8;
constexpr std::uint64_t kLeastBudget = 64U << 20;

std::array<std::byte, kMarkerBytes> marker() {
  std::array<std::byte, kFrameHeaderBytes> header{};
  FrameHeader{}.encode(header);
  std::array<std::byte, kMarkerBytes> out{};
  std::copy_n(header.begin(), out.size(), out.begin());
  return out;
}

}  // namespace

bool read_around_damage(ReadFile& file, std::uint64_t offset, MutableByteSpan out) {
  if (file.read(offset, out)) return true;
  while (!out.empty()) {
    const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(kBlockBytes - offset % kBlockBytes, out.size()));
    if (!file.read(offset, out.first(n))) std::fill_n(out.begin(), n, std::byte{0});
    offset += n;
    out = out.subspan(n);
  }
  return false;
}

FrameScanner::FrameScanner(std::shared_ptr<ReadFile> file)
    : file_(std::move(file)), budget_bytes_(std::max(kLeastBudget, checked_mul(file_->size(), kMostPasses).value_or(~std::uint64_t{0}))) {}

std::optional<FoundFrame> FrameScanner::next() {
  while (true) {
    std::optional<FrameHeader> header = header_at(at_);
    if (!header && search()) header = header_at(at_);
    if (!header) return std::nullopt;
    const FoundFrame found{*header, at_};
    // A sound header tells the length, if nothing was lost or put in since: then something sound follows, or the payload is whole.
    if (ends_well(found) || payload_fits(found)) {
      at_ = found.end();
      return found;
    }
    at_ += kFrameHeaderBytes;
  }
}

Result<void> FrameScanner::read_frame(const FoundFrame& frame) {
  if (!fits(frame.offset, frame.bytes(), file_->size())) return fail(ErrorCode::corrupt, "a frame is cut off");
  frame_.resize(static_cast<std::size_t>(frame.bytes()));
  return file_->read(frame.offset, frame_);
}

Result<OpenedFrame> FrameScanner::open(const FoundFrame& frame, FrameOpener& opener, std::uint32_t max_raw, Bytes& content, ByteSpan base) {
  TRY(read_frame(frame));
  return opener.open(frame_, max_raw, content, base);
}

Result<FrameAddress> FrameScanner::address(const FoundFrame& frame, FrameOpener& opener) {
  TRY(read_frame(frame));
  const ByteSpan payload = ByteSpan(frame_).subspan(kFrameHeaderBytes);
  if (payload.size() < kAddressBytes || frame_checksum(payload) != frame.header.payload_checksum)
    return fail(ErrorCode::corrupt, "a frame's checksum does not fit its content");
  return frame.header.encrypted ? opener.peek_address(frame_) : Result<FrameAddress>(FrameAddress::decode(payload));
}

std::optional<FrameHeader> FrameScanner::header_at(std::uint64_t offset) {
  if (!fits(offset, kFrameHeaderBytes, file_->size())) return std::nullopt;
  std::array<std::byte, kFrameHeaderBytes> bytes{};
  if (offset >= window_at_ && fits(offset - window_at_, bytes.size(), window_.size()))
    std::copy_n(window_.begin() + static_cast<std::ptrdiff_t>(offset - window_at_), bytes.size(), bytes.begin());
  else if (!file_->read(offset, bytes))
    return std::nullopt;
  const Result<FrameHeader> header = FrameHeader::decode(bytes);
  return header ? std::optional(*header) : std::nullopt;
}

bool FrameScanner::ends_well(const FoundFrame& frame) {
  const std::uint64_t size = file_->size();
  if (!fits(frame.offset, frame.bytes(), size)) return false;
  return frame.end() == size || frame.end() + kTrailerBytes == size || header_at(frame.end());
}

bool FrameScanner::payload_fits(const FoundFrame& frame) {
  if (!fits(frame.offset, frame.bytes(), file_->size()) || frame.header.stored_bytes > budget_bytes_) return false;
  budget_bytes_ -= frame.header.stored_bytes;
  frame_.resize(frame.header.stored_bytes);
  return file_->read(frame.offset + kFrameHeaderBytes, frame_) && frame_checksum(frame_) == frame.header.payload_checksum;
}

// Moves on to the next sound header; false if there is none.
bool FrameScanner::search() {
  static const std::array<std::byte, kMarkerBytes> kMarker = marker();
  while (fits(at_, kFrameHeaderBytes, file_->size())) {
    load_window();
    const std::byte* from = window_.data() + (at_ - window_at_);
    const std::byte* const end = window_.data() + window_.size();
    while (const void* hit = ::memmem(from, static_cast<std::size_t>(end - from), kMarker.data(), kMarker.size())) {
      const std::byte* const place = static_cast<const std::byte*>(hit);
      if (static_cast<std::size_t>(end - place) < kFrameHeaderBytes) break;
      at_ = window_at_ + static_cast<std::uint64_t>(place - window_.data());
      if (header_at(at_)) return true;
      from = place + 1;
    }
    // A header that begins in the last bytes is looked at whole with the next window.
    at_ = std::max(at_, window_at_ + window_.size() - (kFrameHeaderBytes - 1));
  }
  return false;
}

// Bytes around at_, if the window has not enough of them.
void FrameScanner::load_window() {
  if (at_ >= window_at_ && fits(at_ - window_at_, kFrameHeaderBytes, window_.size())) return;
  window_at_ = at_;
  window_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kWindowBytes, file_->size() - at_)));
  (void)read_around_damage(*file_, window_at_, window_);
}

}  // namespace tintype
