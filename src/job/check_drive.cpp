// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/check_drive.h"

#include <algorithm>

#include "job/progress.h"

namespace tintype {
namespace {

constexpr std::uint64_t kPiece = 1U << 20;
constexpr std::size_t kMostListed = 1000;

}  // namespace

Result<ValidateReport> check_drive(Drive& drive, JobContext& context) {
  const std::uint64_t size = drive.size_bytes();
  std::uint64_t total = 0;
  for (std::uint64_t at = 0; at < size;) {
    const BlockStatus status = TRY(drive.status(at, size - at));
    if (status.state == BlockState::data) total += status.extent.length;
    at = status.extent.end();
  }
  ValidateReport report;
  ProgressMeter meter(context.events, "validate", total);
  Bytes buffer(kPiece);
  for (std::uint64_t at = 0; at < size;) {
    const BlockStatus status = TRY(drive.status(at, size - at));
    const std::uint64_t end = status.extent.end();
    for (; status.state == BlockState::data && at < end;) {
      TRY(context.cancel.check());
      const Extent piece{at, std::min(kPiece - at % kPiece, end - at)};
      drive.will_need(piece.end(), std::min(kPiece, size - piece.end()));
      if (const Result<void> read = drive.read(at, MutableByteSpan(buffer).first(static_cast<std::size_t>(piece.length)))) {
        report.checked_bytes += piece.length;
      } else {
        ++report.damage_count;
        if (report.damage.size() < kMostListed) report.damage.push_back({.file = {}, .what = read.error().message(), .area = {}, .bytes = piece});
      }
      meter.advance(piece.length);
      at = piece.end();
    }
    at = end;
  }
  meter.finish();
  return report;
}

}  // namespace tintype
