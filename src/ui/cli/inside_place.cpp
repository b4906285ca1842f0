// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/inside_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>

#include "base/text.h"
#include "drive/in_use.h"
#include "naming/resolve.h"
#include "store/partition_place.h"

namespace tintype::cli {
namespace {

// A drive's path, found without opening a virtual drive, which may be open for writing here.
Result<std::string> path_of(const DriveName& drive) {
  if (drive.kind == DriveName::Kind::path) return drive.word;
  if (drive.kind == DriveName::Kind::virtual_drive) {
    const auto defined = this_machine().virtual_drives().find(drive.number);
    if (defined != this_machine().virtual_drives().end()) return defined->second.path;
  }
  return TRY(resolve(drive, this_machine())).drive->info().path;
}

Extent extent_in(const ResolvedDrive& found, std::uint32_t id) {
  const Partition* partition = found.layout.find(id);
  const auto start = partition != nullptr ? checked_mul(partition->start_sector, found.layout.sector_bytes) : std::nullopt;
  const auto length = partition != nullptr ? checked_mul(partition->sector_count, found.layout.sector_bytes) : std::nullopt;
  if (start && length && fits(*start, *length, found.drive->size_bytes())) return {*start, *length};
  return {0, found.drive->size_bytes()};
}

Result<std::shared_ptr<Drive>> open_to_write(const ImageName& name) {
  OpenOptions open{.access = OpenOptions::Access::write, .lock = true};
  {
    const ResolvedDrive found = TRY(resolve(*name.drive, this_machine()));
    const std::string& path = found.drive->info().path;
    std::error_code none;
    std::vector<Use> uses = std::filesystem::exists(path, none) ? TRY(find_uses(path)) : std::vector<Use>{};
    const Extent extent = extent_in(found, name.drive->partitions.front());
    std::ranges::stable_partition(uses, [](const Use& use) { return use.kind == Use::Kind::mount; });  // what can be undone is told first
    for (const Use& use : uses) {
      if (!use.touches(extent)) continue;
      return fail(ErrorCode::busy, fmt::format("{} cannot be written to beside the system: {}", printable(name.text), printable(use.text())),
                  use.kind == Use::Kind::mount ? fmt::format("give the path below {} instead, or unmount it", printable(use.mount_point)) : "stop using it first");
    }
    open.exclusive = uses.empty();
  }
  return open_partition_of(name, open);
}

}  // namespace

Result<std::unique_ptr<Place>> open_inside_place(const ImageName& name, const std::string& words, bool make) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<PartitionFiles>> open;
  const std::string path = TRY(path_of(*name.drive));
  std::error_code none;
  const std::filesystem::path real = std::filesystem::weakly_canonical(path, none);
  const std::string key = fmt::format("{}@{}", none ? path : real.string(), name.drive->partitions.front());
  std::shared_ptr<PartitionFiles> files;
  {
    const std::lock_guard lock(mutex);
    files = open[key].lock();
    if (!files) {
      files = TRY(open_partition_files([name] { return open_partition_of(name); }, [name] { return open_to_write(name); }, fmt::format("{}@{}", path, name.drive->partitions.front())));
      open[key] = files;
    }
  }
  return open_partition_place(std::move(files), name.path, words, make);
}

Result<std::optional<InsidePart>> find_inside_part(const std::string& image_path) {
  const Result<ImageName> name = parse_image_name(image_path);
  if (!name || name->kind != ImageName::Kind::partition) return std::optional<InsidePart>{};
  const ResolvedDrive found = TRY(resolve(*name->drive, this_machine()));
  return std::optional(InsidePart{found.drive->info().path, extent_in(found, name->drive->partitions.front())});
}

}  // namespace tintype::cli
