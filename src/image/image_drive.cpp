// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/image_drive.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <thread>

#include "drive/read_only_drive.h"
#include "image/chunk_cache.h"

namespace tintype {
namespace {

constexpr std::uint64_t kReadAheadChunks = 6;
constexpr std::uint64_t kKeptBehind = 4;
constexpr std::uint64_t kLookAheadChunks = 256;  // for those that have content

// Tells readers that go through the drive in order from those that look here and there, for which reading ahead would decode what nobody
// wants. Several readers at a time; the kernel may hand over the requests of one in any order, and readers leave out what holds nothing.
class Streams {
 public:
  // Whether this read goes on with one that has come kWorth bytes more than it left out.
  bool goes_on(std::uint64_t offset, std::uint64_t length) {
    const std::lock_guard lock(mutex_);
    for (Stream& each : streams_) {
      if (offset + kBack < each.next || offset > each.next + kMost) continue;
      const std::uint64_t left_out = offset > each.next ? offset - each.next : 0, next = std::max(each.next, offset + length);
      each.run = std::min(each.run - std::min(each.run, left_out) + std::min(length, next - each.next), kMost);
      each.next = next;
      each.used = ++clock_;
      return each.run >= kWorth;
    }
    Stream& oldest = *std::ranges::min_element(streams_, {}, &Stream::used);
    oldest = {offset + length, length, ++clock_};
    return length >= kWorth;
  }

 private:
  static constexpr std::uint64_t kBack = 4U << 20, kMost = 64U << 20, kWorth = 1U << 20;
  struct Stream {
    std::uint64_t next = ~std::uint64_t{0} / 2, run = 0, used = 0;
  };
  std::mutex mutex_;
  std::array<Stream, 16> streams_{};
  std::uint64_t clock_ = 0;
};

// A run of the drive with one origin.
struct Piece {
  enum class Origin { nothing, table, area } origin = Origin::nothing;
  std::uint64_t end = 0;    // on the drive
  std::size_t index = 0;    // of the table sectors or of the area
  std::uint64_t within = 0; // bytes from its start
};

unsigned default_threads() { return std::clamp(std::thread::hardware_concurrency(), 1U, 4U); }

class ImageDrive final : public ReadOnlyDrive {
 public:
  ImageDrive(std::shared_ptr<ImageReader> image, const ImageDriveOptions& options)
      : image_(std::move(image)), catalog_(image_->catalog()), info_(catalog_.source), beginnings_(options.beginnings),
        cache_(image_, static_cast<std::size_t>(options.cache_bytes),
               options.read_ahead_threads ? options.read_ahead_threads : default_threads()) {
    info_.path = options.name.empty() ? image_->parts().describe(0) : options.name;
    info_.read_only = true;
    info_.removable = false;
  }

  const DriveInfo& info() const override { return info_; }

  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    TRY(check_range(offset, out.size()));
    while (!out.empty()) {
      const HeldBytes piece = TRY(take(offset, out.size()));
      std::memcpy(out.data(), piece.bytes.data(), piece.bytes.size());
      out = out.subspan(piece.bytes.size());
      offset += piece.bytes.size();
    }
    return {};
  }

  Result<std::optional<HeldBytes>> held(std::uint64_t offset, std::uint64_t length) override {
    TRY(check_range(offset, length));
    if (length == 0) return std::nullopt;
    return TRY(take(offset, length));
  }

  Result<BlockStatus> status(std::uint64_t offset, std::uint64_t length) override {
    TRY(check_range(offset, length));
    const Piece piece = piece_at(offset);
    const std::uint64_t most = std::min(length, piece.end - offset);
    if (piece.origin == Piece::Origin::table) return BlockStatus{{offset, most}, BlockState::data};
    if (piece.origin == Piece::Origin::nothing) return BlockStatus{{offset, most}, BlockState::not_saved};
    Result<BlockStatus> found = status_in_area(piece, most);
    if (!found) return fail(placed(std::move(found).error(), offset, most));
    found->extent.start = offset;
    return found;
  }

  void will_need(std::uint64_t offset, std::uint64_t length) override {
    if (!fits(offset, length, size_bytes())) return;
    const std::uint64_t end = offset + std::min<std::uint64_t>(length, kReadAheadChunks * kChunkBytes);
    while (offset < end) {
      const Piece piece = piece_at(offset);
      std::uint64_t next = piece.end;
      if (piece.origin == Piece::Origin::area) {
        cache_.prefetch({piece.index, piece.within / kChunkBytes}, wanted(piece.within % kChunkBytes + (end - offset)));
        next = std::min(next, offset + kChunkBytes - piece.within % kChunkBytes);
      }
      offset = next;
    }
  }

  void drop_cache() override { cache_.clear(); }

 private:
  std::size_t wanted(std::uint64_t end_in_chunk) const {
    return beginnings_ ? static_cast<std::size_t>(std::min<std::uint64_t>(end_in_chunk, kChunkBytes)) : ChunkCache::kWhole;
  }

  static Error placed(Error error, std::uint64_t offset, std::uint64_t length) {
    error.what = make_error(error.code, error.what).message();
    error.offset_bytes = offset;
    error.length_bytes = length;
    return error;
  }

  // Tables come first: they are what the image says the drive's tables are. Areas do not overlap, unless the table they
  // come from does; then the one that starts last has the bytes.
  Piece piece_at(std::uint64_t offset) const {
    Piece piece{Piece::Origin::nothing, size_bytes()};
    const auto& tables = catalog_.layout.table_sectors;
    for (std::size_t i = 0; i < tables.size(); ++i) {
      const std::uint64_t start = tables[i].start_sector * catalog_.layout.sector_bytes;
      if (start > offset) {
        piece.end = std::min(piece.end, start);
      } else if (offset - start < tables[i].bytes.size()) {
        return {Piece::Origin::table, std::min(piece.end, start + tables[i].bytes.size()), i, offset - start};
      }
    }
    std::uint64_t best = 0;
    for (std::size_t i = 0; i < catalog_.areas.size(); ++i) {
      const Area& area = catalog_.areas[i];
      if (area.start_byte > offset) {
        piece.end = std::min(piece.end, area.start_byte);
      } else if (offset - area.start_byte < area.size_bytes && (piece.origin == Piece::Origin::nothing || area.start_byte >= best)) {
        piece.origin = Piece::Origin::area;
        piece.index = i;
        piece.within = offset - area.start_byte;
        best = area.start_byte;
      }
    }
    if (piece.origin == Piece::Origin::area) piece.end = std::min(piece.end, best + catalog_.areas[piece.index].size_bytes);
    return piece;
  }

  // What the range begins with: as much of it as one chunk, one table or one gap has.
  Result<HeldBytes> take(std::uint64_t offset, std::uint64_t length) {
    const bool ahead = streams_.goes_on(offset, length);
    const Piece piece = piece_at(offset);
    auto most = static_cast<std::size_t>(std::min<std::uint64_t>({length, piece.end - offset, kChunkBytes}));
    if (piece.origin == Piece::Origin::nothing) return zeros(most);
    if (piece.origin == Piece::Origin::table) {
      const Bytes& bytes = catalog_.layout.table_sectors[piece.index].bytes;
      return HeldBytes{image_, ByteSpan(bytes).subspan(static_cast<std::size_t>(piece.within), most)};
    }
    const ChunkKey key{piece.index, piece.within / kChunkBytes};
    const auto within = static_cast<std::size_t>(piece.within % kChunkBytes);
    most = std::min(most, static_cast<std::size_t>(kChunkBytes) - within);
    if (ahead) read_ahead(key);
    Result<ChunkCache::Content> content = cache_.get(key, ahead ? ChunkCache::kWhole : wanted(within + most));
    if (!content) return fail(placed(std::move(content).error(), offset, most));
    // Who reads in order does not come back; but the requests of the last chunks may still be on their way, in any order.
    if (ahead && within + most == kChunkBytes && key.number >= kKeptBehind) cache_.used_up({key.area, key.number - kKeptBehind});
    if (!content->memory) return zeros(most);
    const ByteSpan bytes = content->bytes().subspan(within, most);
    return HeldBytes{std::move(content->memory), bytes};
  }

  static HeldBytes zeros(std::size_t length) {
    static const auto all = std::make_shared<const Bytes>(kChunkBytes);
    return {all, ByteSpan(*all).first(length)};
  }

  void read_ahead(const ChunkKey& key) {
    const std::uint64_t chunks = (catalog_.areas[key.area].size_bytes + kChunkBytes - 1) / kChunkBytes;
    const std::uint64_t end = std::min(chunks, key.number + 1 + kLookAheadChunks);
    std::uint64_t asked = 0;
    for (std::uint64_t next = key.number + 1; next < end && asked < kReadAheadChunks; ++next) {
      const Result<std::shared_ptr<const Page>> page = image_->page(key.area, next / kChunksPerRegion);
      if (!page) return;  // whoever reads there is told
      if (!*page || !(*page)->entries[static_cast<std::size_t>(next % kChunksPerRegion)].has_frame()) continue;
      cache_.prefetch({key.area, next});
      ++asked;
    }
  }

  // The state at the start of the piece, and how far it goes inside the region that this lies in.
  Result<BlockStatus> status_in_area(const Piece& piece, std::uint64_t most) {
    const std::uint64_t region = piece.within / kRegionBytes;
    const std::uint64_t end = std::min(piece.within + most, (region + 1) * kRegionBytes);
    const std::shared_ptr<const Page> page = TRY(image_->page(piece.index, region));
    if (!page) return BlockStatus{{0, end - piece.within}, BlockState::not_saved};
    const auto used = std::ranges::upper_bound(page->used, piece.within, {}, &Extent::end);
    if (used == page->used.end()) return BlockStatus{{0, end - piece.within}, BlockState::not_saved};
    if (used->start > piece.within) return BlockStatus{{0, std::min(end, used->start) - piece.within}, BlockState::not_saved};
    const auto is_hole = [&](std::uint64_t at) {
      return !page->entries[static_cast<std::size_t>(at / kChunkBytes % kChunksPerRegion)].has_frame();
    };
    const std::uint64_t last = std::min(end, used->end());
    const bool hole = is_hole(piece.within);
    std::uint64_t at = piece.within;
    while (at < last && is_hole(at) == hole) at = (at / kChunkBytes + 1) * kChunkBytes;
    return BlockStatus{{0, std::min(at, last) - piece.within}, hole ? BlockState::hole : BlockState::data};
  }

  std::shared_ptr<ImageReader> image_;
  const Catalog& catalog_;
  DriveInfo info_;
  const bool beginnings_;
  ChunkCache cache_;
  Streams streams_;
};

}  // namespace

std::shared_ptr<Drive> make_image_drive(std::shared_ptr<ImageReader> image, ImageDriveOptions options) {
  return std::make_shared<ImageDrive>(std::move(image), options);
}

}  // namespace tintype
