// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/chain_map.h"

#include <fmt/format.h>

#include <algorithm>

namespace tintype {
namespace {

constexpr std::uint64_t kStep = 1024, kMaxRun = 65536;  // clusters

class ChainMap final : public ContentMap {
 public:
  explicit ChainMap(ChainedFile file)
      : file_(std::move(file)), wanted_(div_round_up(file_.valid_bytes, file_.cluster_bytes)), marks_{file_.first_cluster},
        cluster_(file_.first_cluster) {}

  Result<ContentRun> at(std::uint64_t offset) override {
    if (offset >= file_.valid_bytes) return ContentRun{file_.valid_bytes, ~std::uint64_t{0} - file_.valid_bytes, {}};
    if (wanted_ > file_.cluster_count) return fail(ErrorCode::corrupt, "a file is larger than its file system");
    ContentRun run = TRY(file_.contiguous ? all() : part(offset / file_.cluster_bytes));
    run.length = std::min(run.length, file_.valid_bytes - run.start);
    return run;
  }

 private:
  bool inside(std::uint64_t count) const {
    return cluster_ >= 2 && fits(cluster_ - 2, count, file_.cluster_count);
  }
  std::uint64_t place() const { return file_.heap_offset + std::uint64_t{cluster_ - 2} * file_.cluster_bytes; }

  Result<ContentRun> all() const {
    if (!inside(wanted_)) return fail(ErrorCode::corrupt, "a file leaves the clusters of its file system");
    return ContentRun{0, wanted_ * file_.cluster_bytes, place()};
  }

  Result<ContentRun> part(std::uint64_t index) {
    const std::uint64_t mark = std::min<std::uint64_t>(index / kStep, marks_.size() - 1);
    if (index < index_ || mark * kStep > index_) {
      index_ = mark * kStep;
      cluster_ = marks_[mark];
    }
    if (!inside(1)) return fail(ErrorCode::corrupt, "a file leaves the clusters of its file system");
    while (index_ < index) TRY(step());
    ContentRun run{index_ * file_.cluster_bytes, 0, place()};
    // Neighbours are one run; the cursor stops at the last of them.
    const std::uint64_t first = index_;
    while (index_ - first < kMaxRun && index_ + 1 < wanted_) {
      const std::optional<std::uint32_t> next = TRY(file_.next(cluster_));
      if (next != cluster_ + 1) break;
      TRY(step());
    }
    run.length = (index_ - first + 1) * file_.cluster_bytes;
    return run;
  }

  Result<void> step() {
    const std::optional<std::uint32_t> next = TRY(file_.next(cluster_));
    if (!next) return fail(ErrorCode::corrupt, fmt::format("the cluster chain of a file ends after {} of {} clusters", index_ + 1, wanted_));
    cluster_ = *next;
    ++index_;
    if (!inside(1)) return fail(ErrorCode::corrupt, "a file leaves the clusters of its file system");
    if (index_ % kStep == 0 && index_ / kStep == marks_.size()) marks_.push_back(cluster_);
    return {};
  }

  ChainedFile file_;
  std::uint64_t wanted_;  // clusters
  std::vector<std::uint32_t> marks_;
  std::uint64_t index_ = 0;
  std::uint32_t cluster_;
};

}  // namespace

std::unique_ptr<ContentMap> chain_map(ChainedFile file) { return std::make_unique<ChainMap>(std::move(file)); }

}  // namespace tintype
