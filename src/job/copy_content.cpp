// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/copy_content.h"

#include <algorithm>

namespace tintype {
namespace {

constexpr std::uint64_t kPiece = 1U << 20;
constexpr std::uint64_t kSmallPiece = 4096;
constexpr std::uint64_t kAhead = 4U << 20;
constexpr unsigned kMostFailures = 4096;  // 16 MiB in a row: the rest is as good as lost

}  // namespace

Result<CopiedContent> ContentCopier::copy(FileContent& from, OutFile& to, const std::vector<Extent>& extents) {
  buffer_.resize(static_cast<std::size_t>(std::min(kPiece, std::max<std::uint64_t>(from.size_bytes(), buffer_.size()))));
  result_ = {};
  extents_ = &extents;
  done_bytes_ = asked_bytes_ = ahead_within_ = 0;
  ahead_extent_ = 0;
  failures_in_a_row_ = 0;
  const std::uint64_t size = from.size_bytes();
  for (std::uint64_t at = 0; at < size;) {
    const Result<std::optional<Extent>> run = from.next_data(at);
    if (!run) {
      result_.first_error = run.error();
      result_.unread_bytes += size - at;
      return result_;
    }
    if (!*run || (*run)->start >= size || (*run)->end() <= at) break;
    const std::uint64_t start = std::max((*run)->start, at);
    const Extent data{start, std::min((*run)->end(), size) - start};
    TRY(copy_run(from, to, data));
    if (failures_in_a_row_ >= kMostFailures) {
      result_.unread_bytes += size - data.end();
      return result_;
    }
    at = data.end();
  }
  return result_;
}

Result<void> ContentCopier::copy_run(FileContent& from, OutFile& to, Extent run) {
  for (std::uint64_t at = run.start; at < run.end();) {
    TRY(cancel_.check());
    const std::uint64_t length = std::min(kPiece, run.end() - at);
    look_ahead(*extents_, done_bytes_ + length);
    const MutableByteSpan piece = MutableByteSpan(buffer_).first(static_cast<std::size_t>(length));
    if (from.read(at, piece)) {
      TRY(to.write(at, piece));
      failures_in_a_row_ = 0;
    } else {
      TRY(copy_hard(from, to, {at, length}));
    }
    advance_(length);
    done_bytes_ += length;
    at += length;
    if (failures_in_a_row_ < kMostFailures) continue;
    result_.unread_bytes += run.end() - at;
    return {};
  }
  return {};
}

Result<void> ContentCopier::copy_hard(FileContent& from, OutFile& to, Extent piece) {
  for (std::uint64_t at = piece.start; at < piece.end();) {
    TRY(cancel_.check());
    const std::uint64_t length = std::min(kSmallPiece - at % kSmallPiece, piece.end() - at);
    const MutableByteSpan small = MutableByteSpan(buffer_).first(static_cast<std::size_t>(length));
    const Result<void> read = failures_in_a_row_ < kMostFailures ? from.read(at, small) : Result<void>(fail(*result_.first_error));
    if (read) {
      TRY(to.write(at, small));
      failures_in_a_row_ = 0;
    } else {
      if (!result_.first_error) result_.first_error = read.error();
      result_.unread_bytes += length;
      ++failures_in_a_row_;
    }
    at += length;
  }
  return {};
}

// Keeps the drive told of what lies up to kAhead behind what is being read.
void ContentCopier::look_ahead(const std::vector<Extent>& extents, std::uint64_t done_bytes) {
  while (ahead_extent_ < extents.size() && asked_bytes_ < done_bytes + kAhead) {
    const Extent& extent = extents[ahead_extent_];
    const std::uint64_t length = std::min(kPiece, extent.length - std::min(extent.length, ahead_within_));
    if (length != 0) partition_.will_need(extent.start + ahead_within_, length);
    asked_bytes_ += length;
    ahead_within_ += length;
    if (ahead_within_ < extent.length) continue;
    ++ahead_extent_;
    ahead_within_ = 0;
  }
}

}  // namespace tintype
