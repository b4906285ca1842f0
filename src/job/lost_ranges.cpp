// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/lost_ranges.h"

#include <algorithm>

namespace tintype {

LostRanges::LostRanges(std::shared_ptr<ImageReader> image, std::shared_ptr<Drive> drive, std::uint64_t partition_byte)
    : image_(std::move(image)), drive_(std::move(drive)), partition_byte_(partition_byte) {}

Result<LostRanges::Lost> LostRanges::of(const std::vector<Extent>& extents) const {
  Lost lost;
  if (!image_) return lost;
  for (const Extent& extent : extents) {
    const auto start = checked_add(partition_byte_, extent.start);
    if (!start || !fits(*start, extent.length, drive_->size_bytes()))
      return fail(ErrorCode::corrupt, "a file claims bytes beyond the end of its drive");
    lost.looked_at_bytes += extent.length;
    for (std::uint64_t at = *start, end = at + extent.length; at < end;) {
      const BlockStatus status = TRY(drive_->status(at, end - at));
      if (status.state == BlockState::not_saved) lost.not_saved_bytes += status.extent.length;
      else lost.unreadable_bytes += TRY(unreadable(status.extent));
      at += std::max<std::uint64_t>(status.extent.length, 1);
    }
  }
  return lost;
}

Result<std::uint64_t> LostRanges::unreadable(Extent on_drive) const {
  std::uint64_t bytes = 0;
  const Catalog& catalog = image_->catalog();
  for (std::size_t i = 0; i < catalog.areas.size(); ++i) {
    const Area& area = catalog.areas[i];
    if (area.unreadable_bytes == 0) continue;
    const std::uint64_t from = std::max(on_drive.start, area.start_byte);
    const std::uint64_t to = std::min(on_drive.end(), area.start_byte + area.size_bytes);
    for (std::uint64_t at = from; at < to;) {
      const std::uint64_t within = at - area.start_byte, region = within / kRegionBytes;
      const std::uint64_t end = std::min(to - area.start_byte, (region + 1) * kRegionBytes);
      if (const auto page = TRY(image_->page(i, region)))
        bytes += ExtentSet(page->unreadable).clipped({within, end - within}).total_bytes();
      at = area.start_byte + end;
    }
  }
  return bytes;
}

}  // namespace tintype
