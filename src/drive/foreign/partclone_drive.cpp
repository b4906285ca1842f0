// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/foreign/partclone_drive.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <list>
#include <mutex>

#include "drive/foreign/partclone_image.h"
#include "drive/read_only_drive.h"

namespace tintype {
namespace {

constexpr std::size_t kKeptStrips = 8;
constexpr std::uint64_t kKeptBytes = 16U << 20;

class PartcloneDrive final : public ReadOnlyDrive {
 public:
  PartcloneDrive(PartcloneImage image, const std::string& name, std::uint32_t sector_bytes) : image_(std::move(image)) {
    info_.path = name;
    info_.size_bytes = image_.header().device_bytes;
    info_.logical_sector_bytes = info_.physical_sector_bytes = sector_bytes == 0 ? 512 : sector_bytes;
    info_.read_only = true;
    blocks_end_ = image_.header().total_blocks * image_.header().block_bytes;
  }

  const DriveInfo& info() const override { return info_; }

  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    TRY(check_range(offset, out.size()));
    while (!out.empty()) {
      const Place place = TRY(place_of(offset, out.size()));
      std::size_t length = static_cast<std::size_t>(place.length);
      if (place.used) {
        Result<std::size_t> done = read_block(place, out.first(length));
        if (!done) {
          Error error = std::move(done).error();
          error.offset_bytes = offset;
          return fail(std::move(error));
        }
        length = *done;
      } else {
        std::memset(out.data(), 0, length);
      }
      out = out.subspan(length);
      offset += length;
    }
    return {};
  }

  Result<BlockStatus> status(std::uint64_t offset, std::uint64_t length) override {
    TRY(check_range(offset, length));
    if (length == 0) return BlockStatus{{offset, 0}, BlockState::data};
    const Place place = TRY(place_of(offset, length));
    return BlockStatus{{offset, place.length}, place.used ? BlockState::data : BlockState::not_saved};
  }

 private:
  struct Place {
    bool used = false;
    std::uint64_t rank = 0;    // of the block in which it begins
    std::uint64_t within = 0;  // bytes from that block's start
    std::uint64_t length = 0;
  };

  Result<Place> place_of(std::uint64_t offset, std::uint64_t length) const {
    if (offset >= blocks_end_) return Place{.length = length};
    const std::uint64_t block_bytes = image_.header().block_bytes;
    const std::uint64_t within = offset % block_bytes;
    const std::uint64_t wanted = div_round_up(within + std::min(length, blocks_end_ - offset), block_bytes);
    const UsedBlocks::Run run = TRY(image_.used().run_at(offset / block_bytes, wanted));
    return Place{run.used, run.rank, within, std::min(length, run.blocks * block_bytes - within)};
  }

  // Reads some bytes of it, up to the end of the strip; says how many.
  Result<std::size_t> read_block(const Place& place, MutableByteSpan out) {
    const PartcloneHeader& header = image_.header();
    if (header.blocks_per_checksum == 0) {
      TRY(image_.source().read(image_.position_of(place.rank) + place.within, out));
      return out.size();
    }
    const std::uint64_t strip = place.rank / header.blocks_per_checksum;
    const std::uint64_t from = place.rank % header.blocks_per_checksum * header.block_bytes + place.within;
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), image_.strip_blocks(strip) * header.block_bytes - from));
    if (!image_.verifiable_alone(strip)) {
      TRY(image_.source().read(image_.strip_position(strip) + from, out.first(length)));
      return length;
    }
    const std::shared_ptr<const Bytes> bytes = TRY(strip_at(strip));
    std::memcpy(out.data(), bytes->data() + from, length);
    return length;
  }

  Result<std::shared_ptr<const Bytes>> strip_at(std::uint64_t strip) {
    const std::lock_guard lock(mutex_);
    const auto kept = std::ranges::find(kept_, strip, &Kept::strip);
    if (kept != kept_.end()) {
      kept_.splice(kept_.begin(), kept_, kept);
      return kept_.front().bytes;
    }
    auto bytes = std::make_shared<const Bytes>(TRY(image_.read_strip(strip)));
    kept_.push_front({strip, bytes});
    while (kept_.size() > 1 && (kept_.size() > kKeptStrips || kept_.size() * bytes->size() > kKeptBytes)) kept_.pop_back();
    return bytes;
  }

  struct Kept {
    std::uint64_t strip;
    std::shared_ptr<const Bytes> bytes;
  };
  PartcloneImage image_;
  DriveInfo info_;
  std::uint64_t blocks_end_ = 0;
  std::mutex mutex_;
  std::list<Kept> kept_;  // most recently used first
};

}  // namespace

Result<std::shared_ptr<Drive>> open_partclone(std::shared_ptr<ByteSource> source, const std::string& name, std::uint32_t sector_bytes) {
  return std::make_shared<PartcloneDrive>(TRY(PartcloneImage::open(std::move(source), name)), name, sector_bytes);
}

}  // namespace tintype
