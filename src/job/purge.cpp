// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/purge.h"

#include <fmt/format.h>

#include <algorithm>

#include "image/part_names.h"

namespace tintype {
namespace {

class Purge {
 public:
  Purge(std::shared_ptr<Place> place, const ImageFolder& folder, const std::vector<Retention>& decisions, JobContext& context)
      : place_(std::move(place)), folder_(folder), context_(context), there_(folder.sets.size(), true) {
    for (std::size_t i = 0; i < decisions.size(); ++i)
      if (!decisions[i].keep) to_go_.push_back(i);
  }

  Result<PurgeReport> run() {
    for (const Leftover& leftover : folder_.leftovers) {
      TRY(context_.cancel.check());
      if (Result<void> done = finish(leftover); !done) report_.failed.push_back(done.error().message());
    }
    // Again and again the first set that nothing needs: dependents before their bases, in a chain of any shape.
    while (true) {
      const auto next = std::ranges::find_if(to_go_, [&](std::size_t i) { return needed_by(i).empty(); });
      if (next == to_go_.end()) break;
      TRY(context_.cancel.check());
      const std::size_t i = *next;
      to_go_.erase(next);
      remove(i);
    }
    for (const std::size_t i : to_go_)
      report_.failed.push_back(fmt::format("{} stays: {} needs it", describe(i), needed_by(i)));
    return std::move(report_);
  }

 private:
  std::string describe(std::size_t i) const { return place_->describe(folder_.sets[i].file); }

  // The name of a set still there that builds on this one; empty if none does.
  std::string needed_by(std::size_t base) const {
    for (std::size_t i = 0; i < folder_.sets.size(); ++i) {
      const std::vector<SetId>& needs = folder_.sets[i].set.needs;
      if (i != base && there_[i] && std::ranges::find(needs, folder_.sets[base].set.id) != needs.end())
        return folder_.sets[i].set.name;
    }
    return "";
  }

  void remove(std::size_t i) {
    const FoundSet& found = folder_.sets[i];
    if (Result<void> vanished = vanish(found); !vanished) {
      lock_.reset();
      report_.failed.push_back(fmt::format("{} stays: {}", describe(i), vanished.error().message()));
      return;
    }
    there_[i] = false;
    report_.removed.push_back(found.file);
    report_.freed_bytes += found.bytes;
    if (Result<void> done = remove_rest({purged_name(found.file), found.set.id, found.others}); !done)
      report_.failed.push_back(
          fmt::format("{} is deleted, but files of it are left for the next purge: {}", describe(i), done.error().message()));
  }

  // The set is gone for good when this succeeds: a power cut must bring back neither a set with a hole nor one whose base is
  // deleted next. Its lock is held for as long as its first part exists.
  Result<void> vanish(const FoundSet& found) {
    TRY(check_unused(found.file));
    for (const std::string& name : found.others) TRY(check_unused(name));
    lock_ = TRY(place_->lock(found.file));
    const PartHeader now = TRY(read_part_header(*place_, found.file));
    if (now.set_id != found.set.id || now.part != 0)
      return fail(ErrorCode::busy, "it has been replaced meanwhile", "run the purge again");
    const std::string marker = purged_name(found.file);
    if (TRY(place_->exists(marker)))
      return fail(ErrorCode::exists, fmt::format("{} is in the way", place_->describe(marker)), "look at it and remove it");
    TRY(place_->rename(found.file, marker));
    return place_->sync();
  }

  Result<void> check_unused(const std::string& name) {
    if (!TRY(place_->open_elsewhere(name))) return {};
    return fail(ErrorCode::busy, fmt::format("{} is open in another program", place_->describe(name)), "wait until it is done, then run the purge again");
  }

  Result<void> finish(const Leftover& leftover) {
    lock_ = TRY(place_->lock(leftover.marker));
    TRY(place_->sync());
    return remove_rest(leftover);
  }

  Result<void> remove_rest(const Leftover& set) {
    Result<void> done;
    for (auto name = set.files.begin(); done && name != set.files.end(); ++name) done = remove_file(*name, set.id);
    if (done && !set.files.empty()) done = place_->sync();
    if (done) done = place_->remove(set.marker);
    if (done) done = place_->sync();
    lock_.reset();
    return done;
  }

  // A file that now belongs to another image of the same name stays.
  Result<void> remove_file(const std::string& name, const SetId& id) {
    if (!TRY(belongs_to(*place_, name, id))) return {};
    return place_->remove(name);
  }

  std::shared_ptr<Place> place_;
  const ImageFolder& folder_;
  JobContext& context_;
  std::vector<bool> there_;
  std::vector<std::size_t> to_go_;
  std::unique_ptr<PlaceLock> lock_;
  PurgeReport report_;
};

}  // namespace

Result<PurgeReport> run_purge(const std::shared_ptr<Place>& place, const ImageFolder& folder,
                              const std::vector<Retention>& decisions, JobContext& context) {
  return Purge(place, folder, decisions, context).run();
}

}  // namespace tintype
