// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "base/pacer.h"
#include "base/page_cache.h"
#include "drive/drive.h"
#include "media/priority.h"
#include "options/command.h"
#include "store/place.h"

namespace tintype::cli {

// How much of the machine a run may take, as --priority, --performance-options and --gentle-io say. Drives and places
// that carry an operation's data are opened with it.
class Tuning {
 public:
  explicit Tuning(const options::ParsedCommand& command);

  std::optional<Priority> priority() const { return priority_; }
  // For OpenOptions and CreateOptions.
  const CacheUse& cache() const { return cache_; }
  // The drive itself, or a gentle one over it.
  std::shared_ptr<Drive> gently(std::shared_ptr<Drive> drive) const;
  // A folder for image files.
  Result<std::shared_ptr<Place>> open_place(const std::string& folder, bool make = false) const;

 private:
  std::optional<Priority> priority_;
  CacheUse cache_;
  std::shared_ptr<Pacer> pacer_;  // null: not gentle
};

// A folder, or one in a partition that is not mounted ("0@1:/backups"), which is opened for writing when something is to be changed there.
Result<std::unique_ptr<Place>> open_any_place(const std::string& folder, bool make = false, const CacheUse& cache = {});

}  // namespace tintype::cli
