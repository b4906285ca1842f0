// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/cluster_runs.h"

namespace tintype {
namespace {

class AreaStream final : public ExtentStream {
 public:
  AreaStream(std::unique_ptr<ClusterRuns> runs, const ClusterArea& area) : runs_(std::move(runs)), area_(area) {}

  Result<std::optional<Extent>> next() override {
    if (stage_ == Stage::head) {
      stage_ = Stage::clusters;
      if (area_.data_offset_bytes != 0) return Extent{0, area_.data_offset_bytes};
    }
    if (stage_ == Stage::clusters) {
      if (const auto run = TRY(runs_->next())) {
        if (!fits(run->first, run->count, area_.cluster_count))
          return fail(ErrorCode::corrupt, "a run of clusters leaves the file system");
        return area_.extent_of(*run);
      }
      stage_ = Stage::tail;
      if (area_.file_system_bytes < area_.partition_bytes)
        return Extent{area_.file_system_bytes, area_.partition_bytes - area_.file_system_bytes};
    }
    return std::nullopt;
  }

 private:
  enum class Stage { head, clusters, tail };
  std::unique_ptr<ClusterRuns> runs_;
  ClusterArea area_;
  Stage stage_ = Stage::head;
};

}  // namespace

std::unique_ptr<ExtentStream> used_map_of(std::unique_ptr<ClusterRuns> runs, const ClusterArea& area) {
  return coalesced(std::make_unique<AreaStream>(std::move(runs), area), area.partition_bytes);
}

void add_warning(FsInfo& info, const std::string& text) {
  if (!info.warning.empty()) info.warning += "; ";
  info.warning += text;
}

void save_everything(FsInfo& info, const Drive& partition, const std::string& why) {
  add_warning(info, why + ": all sectors are saved");
  info.used_map_known = false;
  info.last_used_byte = partition.size_bytes();
}

}  // namespace tintype
