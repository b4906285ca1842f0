// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/extent.h"

#include <algorithm>

namespace tintype {
namespace {

// First item that ends at or after `position` (so it may touch it).
auto first_reaching(const std::vector<Extent>& items, std::uint64_t position) {
  return std::lower_bound(items.begin(), items.end(), position,
                          [](const Extent& item, std::uint64_t at) { return item.end() < at; });
}

class SetStream final : public ExtentStream {
 public:
  explicit SetStream(ExtentSet set) : set_(std::move(set)) {}
  Result<std::optional<Extent>> next() override {
    if (at_ == set_.items().size()) return std::nullopt;
    return set_.items()[at_++];
  }

 private:
  ExtentSet set_;
  std::size_t at_ = 0;
};

class CoalescedStream final : public ExtentStream {
 public:
  CoalescedStream(std::unique_ptr<ExtentStream> inner, std::uint64_t limit)
      : inner_(std::move(inner)), limit_(limit) {}
  Result<std::optional<Extent>> next() override {
    while (true) {
      std::optional<Extent> got = TRY(inner_->next());
      if (!got) return std::exchange(pending_, std::nullopt);
      if (got->length == 0) continue;
      if (got->start < last_end_ || got->start > limit_ || got->length > limit_ - got->start)
        return fail(ErrorCode::corrupt, "the used map is out of order or leaves its partition");
      last_end_ = got->end();
      if (pending_ && pending_->end() == got->start) {
        pending_->length += got->length;
        continue;
      }
      std::swap(pending_, got);
      if (got) return got;
    }
  }

 private:
  std::unique_ptr<ExtentStream> inner_;
  std::uint64_t limit_;
  std::uint64_t last_end_ = 0;
  std::optional<Extent> pending_;
};

class WithoutStream final : public ExtentStream {
 public:
  WithoutStream(std::unique_ptr<ExtentStream> inner, ExtentSet holes)
      : inner_(std::move(inner)), holes_(std::move(holes)) {}
  Result<std::optional<Extent>> next() override {
    while (true) {
      if (!current_) current_ = TRY(inner_->next());
      if (!current_) return std::nullopt;
      const auto& holes = holes_.items();
      while (hole_ < holes.size() && holes[hole_].end() <= current_->start) ++hole_;
      if (hole_ == holes.size() || holes[hole_].start >= current_->end())
        return std::exchange(current_, std::nullopt);
      const Extent hole = holes[hole_];
      const Extent before{current_->start, hole.start > current_->start ? hole.start - current_->start : 0};
      if (hole.end() < current_->end())
        current_ = Extent{hole.end(), current_->end() - hole.end()};
      else
        current_.reset();
      if (before.length > 0) return before;
    }
  }

 private:
  std::unique_ptr<ExtentStream> inner_;
  ExtentSet holes_;
  std::size_t hole_ = 0;
  std::optional<Extent> current_;
};

class TogetherStream final : public ExtentStream {
 public:
  TogetherStream(std::unique_ptr<ExtentStream> inner, ExtentSet extra)
      : inner_(std::move(inner)), extra_(std::move(extra)) {}
  Result<std::optional<Extent>> next() override {
    std::optional<Extent> merged = TRY(lowest());
    if (!merged) return std::nullopt;
    while (true) {
      const std::optional<Extent> following = TRY(peek());
      if (!following || following->start > merged->end()) return merged;
      merged->length = std::max(merged->end(), following->end()) - merged->start;
      (void)TRY(lowest());
    }
  }

 private:
  Result<std::optional<Extent>> peek() {
    if (!current_ && !inner_done_) {
      current_ = TRY(inner_->next());
      inner_done_ = !current_.has_value();
    }
    const bool have_extra = at_ < extra_.items().size();
    if (!current_ && !have_extra) return std::nullopt;
    if (!current_ || (have_extra && extra_.items()[at_].start < current_->start)) return extra_.items()[at_];
    return current_;
  }
  Result<std::optional<Extent>> lowest() {
    const std::optional<Extent> got = TRY(peek());
    if (!got) return std::nullopt;
    if (current_ && *got == *current_)
      current_.reset();
    else
      ++at_;
    return got;
  }
  std::unique_ptr<ExtentStream> inner_;
  ExtentSet extra_;
  std::size_t at_ = 0;
  std::optional<Extent> current_;
  bool inner_done_ = false;
};

}  // namespace

ExtentSet::ExtentSet(std::vector<Extent> any_order) {
  std::sort(any_order.begin(), any_order.end(),
            [](const Extent& a, const Extent& b) { return a.start < b.start; });
  for (const Extent& extent : any_order) add(extent);
}

void ExtentSet::add(Extent extent) {
  if (extent.length == 0) return;
  const auto first = first_reaching(items_, extent.start);
  auto last = first;
  while (last != items_.end() && last->start <= extent.end()) {
    const std::uint64_t end = std::max(extent.end(), last->end());
    extent.start = std::min(extent.start, last->start);
    extent.length = end - extent.start;
    ++last;
  }
  items_.insert(items_.erase(first, last), extent);
}

void ExtentSet::remove(Extent extent) {
  if (extent.length == 0) return;
  std::vector<Extent> kept;
  kept.reserve(items_.size() + 1);
  for (const Extent& item : items_) {
    if (item.end() <= extent.start || item.start >= extent.end()) {
      kept.push_back(item);
      continue;
    }
    if (item.start < extent.start) kept.push_back({item.start, extent.start - item.start});
    if (item.end() > extent.end()) kept.push_back({extent.end(), item.end() - extent.end()});
  }
  items_ = std::move(kept);
}

bool ExtentSet::contains(std::uint64_t position) const { return intersects({position, 1}); }

bool ExtentSet::intersects(Extent extent) const {
  const auto found = first_reaching(items_, extent.start + 1);
  return extent.length > 0 && found != items_.end() && found->start < extent.end();
}

ExtentSet ExtentSet::clipped(Extent extent) const {
  ExtentSet out;
  for (auto item = first_reaching(items_, extent.start); item != items_.end() && item->start < extent.end();
       ++item) {
    const std::uint64_t start = std::max(item->start, extent.start);
    const std::uint64_t end = std::min(item->end(), extent.end());
    if (start < end) out.items_.push_back({start, end - start});
  }
  return out;
}

std::uint64_t ExtentSet::total_bytes() const {
  std::uint64_t total = 0;
  for (const Extent& item : items_) total += item.length;
  return total;
}

std::unique_ptr<ExtentStream> stream_of(ExtentSet set) { return std::make_unique<SetStream>(std::move(set)); }

std::unique_ptr<ExtentStream> coalesced(std::unique_ptr<ExtentStream> inner, std::uint64_t limit_bytes) {
  return std::make_unique<CoalescedStream>(std::move(inner), limit_bytes);
}

std::unique_ptr<ExtentStream> without(std::unique_ptr<ExtentStream> inner, ExtentSet holes) {
  if (holes.empty()) return inner;
  return std::make_unique<WithoutStream>(std::move(inner), std::move(holes));
}

std::unique_ptr<ExtentStream> together(std::unique_ptr<ExtentStream> inner, ExtentSet extra) {
  if (extra.empty()) return inner;
  return std::make_unique<TogetherStream>(std::move(inner), std::move(extra));
}

Result<ExtentSet> collect(ExtentStream& stream) {
  ExtentSet out;
  while (std::optional<Extent> extent = TRY(stream.next())) out.add(*extent);
  return out;
}

}  // namespace tintype
