// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "base/extent.h"
#include "image/reader.h"

namespace tintype {

// What an image lacks of a partition: bytes that the backup left out, and those that its source could not read. Both read as zeros.
class LostRanges {
 public:
  LostRanges() = default;  // a source that lacks nothing but what fails when it is read
  // `drive`: the image as a drive; `partition_byte`: where the partition begins on it. The image must outlive it.
  LostRanges(std::shared_ptr<ImageReader> image, std::shared_ptr<Drive> drive, std::uint64_t partition_byte);

  struct Lost {
    std::uint64_t not_saved_bytes = 0, unreadable_bytes = 0, looked_at_bytes = 0;
    std::uint64_t total() const { return not_saved_bytes + unreadable_bytes; }
  };
  // `extents`: bytes of the partition.
  Result<Lost> of(const std::vector<Extent>& extents) const;

 private:
  Result<std::uint64_t> unreadable(Extent on_drive) const;

  std::shared_ptr<ImageReader> image_;
  std::shared_ptr<Drive> drive_;
  std::uint64_t partition_byte_ = 0;
};

}  // namespace tintype
