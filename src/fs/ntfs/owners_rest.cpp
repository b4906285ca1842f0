// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/ntfs/owners_rest.h"

#include <algorithm>

#include "fs/bit_runs.h"
#include "fs/ntfs/cluster_bitmap.h"

namespace tintype::ntfs {
namespace {

constexpr std::size_t kMaxPieces = 1'000'000;
constexpr std::uint64_t kWindowClusters = std::uint64_t{1} << 20;

using Kind = ByteOwner::Kind;

class Rest {
 public:
  Rest(const Mft& mft, bool full) : mft_(mft), boot_(mft.boot()), full_(full) {}

  void add(const ExtentSet& rest, std::vector<ByteOwner>& owners) {
    const std::uint64_t clusters_end = boot_.clusters_end();
    const std::uint64_t sectors_end = boot_.total_sectors * boot_.sector_bytes;
    const std::uint64_t all_end = sectors_end + boot_.sector_bytes;
    put(owners, Kind::structure, "the boot sector", rest.clipped({0, std::min<std::uint64_t>(kBootAreaBytes, clusters_end)}));
    put(owners, Kind::free_space, "space behind the last cluster", rest.clipped({clusters_end, sectors_end - clusters_end}));
    put(owners, Kind::structure, "the backup of the boot sector", rest.clipped({sectors_end, boot_.sector_bytes}));
    if (rest.end() > all_end) put(owners, Kind::free_space, "space behind the file system", rest.clipped({all_end, rest.end() - all_end}));
    if (clusters_end > kBootAreaBytes) split_by_bitmap(rest.clipped({kBootAreaBytes, clusters_end - kBootAreaBytes}));
    put(owners, Kind::free_space, "free space", ExtentSet(std::move(free_)));
    put(owners, Kind::structure, full_ ? "further files, which are not listed one by one" : "allocated space that no file claims", ExtentSet(std::move(used_)));
    put(owners, Kind::structure, "space that no file claims; the bitmap cannot be read there", ExtentSet(std::move(unknown_)));
  }

 private:
  static void put(std::vector<ByteOwner>& owners, Kind kind, const char* what, ExtentSet bytes) {
    if (!bytes.empty()) owners.push_back({kind, what, std::move(bytes), {}});
  }

  void split_by_bitmap(const ExtentSet& rest) {
    const auto bitmap = ClusterBitmap::open(mft_);
    const std::uint64_t cluster = boot_.cluster_bytes;
    for (const Extent& extent : rest.items()) {
      std::uint64_t at = extent.start;
      while (at < extent.end()) {
        // Windows begin at multiples of 64 bits, as the bitmap's reader wants them.
        const std::uint64_t first = round_down(at / cluster, 64);
        const std::uint64_t count = std::min(kWindowClusters, boot_.total_clusters - first);
        const std::uint64_t end = std::min(extent.end(), (first + count) * cluster);
        split_window(bitmap ? &*bitmap : nullptr, first, count, {at, end - at});
        at = end;
      }
    }
  }

  void split_window(const ClusterBitmap* bitmap, std::uint64_t first, std::uint64_t count, Extent asked) {
    const std::uint64_t cluster = boot_.cluster_bytes;
    const std::uint64_t wanted = std::min(count, div_round_up(asked.end(), cluster) - first);
    Bytes bits(static_cast<std::size_t>(div_round_up(wanted, 64) * 8));
    if (!bitmap || pieces_ > kMaxPieces || !bitmap->read(first, wanted, bits)) {
      unknown_.push_back(asked);
      return;
    }
    BitRuns runs(bits, wanted);
    std::uint64_t at = asked.start;
    while (const auto run = runs.next()) {
      const std::uint64_t from = std::clamp((first + run->start) * cluster, at, asked.end());
      const std::uint64_t to = std::clamp((first + run->end()) * cluster, at, asked.end());
      if (from > at) free_.push_back({at, from - at});
      if (to > from) used_.push_back({from, to - from});
      at = to;
      pieces_ += 2;
    }
    if (at < asked.end()) free_.push_back({at, asked.end() - at});
  }

  const Mft& mft_;
  const BootSector& boot_;
  bool full_;
  std::size_t pieces_ = 0;
  std::vector<Extent> free_, used_, unknown_;
};

}  // namespace

void add_unclaimed(const Mft& mft, const ExtentSet& asked, bool full, std::vector<ByteOwner>& owners) {
  std::vector<Extent> claimed;
  for (const ByteOwner& owner : owners) claimed.insert(claimed.end(), owner.bytes.items().begin(), owner.bytes.items().end());
  const auto rest = collect(*without(stream_of(asked), ExtentSet(std::move(claimed))));
  if (rest && !rest->empty()) Rest(mft, full).add(*rest, owners);
}

}  // namespace tintype::ntfs
