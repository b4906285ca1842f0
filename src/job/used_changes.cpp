// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/used_changes.h"

#include <algorithm>

namespace tintype {
namespace {

// Cuts a used map into regions.
class Regions {
 public:
  explicit Regions(ExtentStream& used) : used_(used) {}
  // What lies before `end`, and behind what was taken so far.
  Result<std::vector<Extent>> until(std::uint64_t end) {
    std::vector<Extent> out;
    while (true) {
      if (rest_.length == 0 && !ended_) {
        const std::optional<Extent> next = TRY(used_.next());
        ended_ = !next;
        if (next) rest_ = *next;
      }
      if (rest_.length == 0 || rest_.start >= end) return out;
      const std::uint64_t here = std::min(rest_.end(), end);
      out.push_back({rest_.start, here - rest_.start});
      rest_ = {here, rest_.end() - here};
    }
  }

 private:
  ExtentStream& used_;
  Extent rest_;  // what was read and not taken yet
  bool ended_ = false;
};

}  // namespace

std::vector<Extent> not_in(const std::vector<Extent>& a, const std::vector<Extent>& b) {
  std::vector<Extent> out;
  auto other = b.begin();
  for (const Extent& extent : a) {
    std::uint64_t at = extent.start;
    while (at < extent.end()) {
      while (other != b.end() && other->end() <= at) ++other;
      const std::uint64_t next = other == b.end() ? extent.end() : std::min(other->start, extent.end());
      if (next > at) out.push_back({at, next - at});
      at = other == b.end() ? extent.end() : std::max(next, std::min(other->end(), extent.end()));
    }
  }
  return out;
}

Result<UsedChanges> used_changes(BaseIndex& base, std::size_t area, std::uint64_t area_bytes, ExtentStream& used, std::uint64_t least_bytes,
                                 std::uint64_t most_bytes, const CancelToken& cancel) {
  UsedChanges changes;
  if (!base.area_of(area)) return changes;
  const std::uint64_t before_bytes = base.image().catalog().areas[*base.area_of(area)].size_bytes;
  const std::vector<Extent> none;
  Regions now(used);
  std::uint64_t room = most_bytes;
  for (std::uint64_t region = 0; region < region_count(std::max(area_bytes, before_bytes)); ++region) {
    TRY(cancel.check());
    const std::vector<Extent> here = TRY(now.until((region + 1) * kRegionBytes));
    const std::shared_ptr<const EarlierPage> page = TRY(base.page(area, region));
    const std::vector<Extent>& before = page ? page->page->used : none;
    changes.some_came = changes.some_came || !not_in(here, before).empty();
    for (const Extent& gone : not_in(before, here)) {
      if (gone.length < least_bytes || gone.length > room) continue;
      changes.gone.push_back(gone);
      room -= gone.length;
    }
  }
  return changes;
}

}  // namespace tintype
