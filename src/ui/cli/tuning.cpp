// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/tuning.h"

#include "drive/gentle_drive.h"
#include "naming/image_name.h"
#include "store/gentle_place.h"
#include "ui/cli/inside_place.h"

namespace tintype::cli {
namespace {

// FEATURES G16. Numbers of two bits each in the reference product, which are always given together.
constexpr std::uint64_t kFlushRemovable = 16;
constexpr std::uint64_t kCachedWrites = 257;
constexpr std::uint64_t kCachedReads = 514;
constexpr std::uint64_t kSmallOnBackup = 1028;
constexpr std::uint64_t kSmallOnRestore = 2056;

constexpr std::uint64_t kSmallCacheBytes = 4U << 20;
// A gentle writer lets nothing pile up in the cache that would then go out in one burst.
constexpr std::uint64_t kGentleCacheBytes = 2 * Pacer::kMostBytes;

constexpr std::uint64_t kBackground = 8;  // added to a level (FEATURES G18)

CacheUse cache_of(const options::ParsedCommand& command, bool gentle) {
  const std::uint64_t bits = command.number("performance-options").value_or(kFlushRemovable);
  const auto has = [bits](std::uint64_t option) { return (bits & option) == option; };
  CacheUse cache{.keep_read = has(kCachedReads), .keep_written = has(kCachedWrites)};
  cache.flush_removable = has(kFlushRemovable) && !has(kCachedWrites);
  // Who looks here and there in an image comes back to what was read.
  using options::Action;
  for (const Action each : {Action::ls, Action::extract, Action::mount, Action::serve, Action::boot})
    if (command.action == each) cache.keep_read = true;
  // The recovery file is computed from what was written.
  cache.read_again = command.action == Action::backup && command.number("parity").value_or(0) != 0;
  const bool to_drive = command.action == Action::restore || command.action == Action::copy;
  const bool small = (command.action == Action::backup && has(kSmallOnBackup)) || (to_drive && has(kSmallOnRestore));
  if (small) cache.dirty_bytes = kSmallCacheBytes;
  if (gentle) cache.dirty_bytes = kGentleCacheBytes;
  return cache;
}

}  // namespace

Tuning::Tuning(const options::ParsedCommand& command) {
  const bool gentle = command.flag("gentle-io");
  cache_ = cache_of(command, gentle);
  if (gentle) pacer_ = std::make_shared<Pacer>();
  const std::optional<std::uint64_t> wanted = command.number("priority");
  if (wanted) priority_ = Priority{static_cast<Priority::Level>(*wanted & (kBackground - 1)), (*wanted & kBackground) != 0};
}

std::shared_ptr<Drive> Tuning::gently(std::shared_ptr<Drive> drive) const {
  return pacer_ ? make_gentle_drive(std::move(drive), pacer_) : drive;
}

Result<std::unique_ptr<Place>> open_any_place(const std::string& folder, bool make, const CacheUse& cache) {
  const Result<ImageName> name = parse_image_name(folder.ends_with(':') ? folder + "/" : folder);
  if (!name || name->kind != ImageName::Kind::partition) return open_local_place(folder, make, cache);
  return open_inside_place(*name, folder, make);
}

Result<std::shared_ptr<Place>> Tuning::open_place(const std::string& folder, bool make) const {
  std::unique_ptr<Place> place = TRY(open_any_place(folder, make, cache_));
  if (pacer_) place = make_gentle_place(std::move(place), pacer_);
  return place;
}

}  // namespace tintype::cli
