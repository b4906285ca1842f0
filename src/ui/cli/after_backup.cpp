// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/after_backup.h"

#include <fmt/format.h>

#include <algorithm>

#include "image/reader.h"
#include "job/compare.h"
#include "job/list.h"
#include "job/validate.h"
#include "ui/cli/damage.h"
#include "ui/cli/open_image.h"
#include "ui/cli/recovery.h"

namespace tintype::cli {

std::uint64_t used_bytes_of(const ResolvedDrive& source, bool raw) {
  if (raw && source.partitions.empty()) return source.drive->size_bytes();
  const DriveListing listing = list_drive(source);
  if (listing.partitions.empty()) return source.drive->size_bytes();
  std::uint64_t used = 0;
  for (const PartitionListing& partition : listing.partitions) {
    const bool chosen = source.partitions.empty() ||
                        std::ranges::find(source.partitions, partition.entry.id) != source.partitions.end();
    if (!chosen || partition.entry.extended) continue;
    const bool known = partition.looked_at && partition.fs.type != FsType::unknown && !raw;
    const std::uint64_t bytes = known ? partition.fs.used_bytes
                                      : checked_mul(partition.entry.sector_count, listing.layout.sector_bytes).value_or(0);
    used = checked_add(used, bytes).value_or(source.drive->size_bytes());
  }
  return used;
}

Result<void> check_backup(const BackupRequest& request, const std::string& path, bool compare, std::vector<NamedImage> named, JobContext& context) {
  const PasswordSource password = [&]() -> Result<std::string> { return request.password.value_or(""); };
  const std::shared_ptr<ImageReader> image = TRY(ImageReader::open(request.place, request.image, password,
                                                                         std::make_shared<LinkFinder>(request.place, std::move(named), open_remembered_folder)));
  const ValidateReport report = TRY(run_validate(image, context));
  if (!report.sound()) {
    tell_damage(report, context.events);
    return fail(ErrorCode::corrupt, fmt::format("{} was written, but is damaged", path), "check the place it lies in, and make it again");
  }
  const Recovery recovery = TRY(check_recovery({path, request.place, request.image}, false, context));
  if (recovery.report && !recovery.report->file_sound())
    return fail(ErrorCode::corrupt, fmt::format("{} was written, but is damaged", recovery.report->path), "check the place it lies in; tintype repair makes it anew");
  if (!compare) return {};
  const CompareReport difference = TRY(run_compare({image, request.drive, source_plan(image->catalog())}, context));
  if (difference.equal()) return {};
  for (const std::string& line : difference.differences) context.events.message({Severity::error, line});
  return fail(ErrorCode::mismatch, fmt::format("{} differs from its source", path),
              "the source changed meanwhile, or the drive or the memory is faulty");
}

}  // namespace tintype::cli
