// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/ext/volume.h"

#include <algorithm>

#include "base/text.h"
#include "fs/ext/groups.h"

namespace tintype::ext {
namespace {

// An error flag or a missing unmount without a journal to repair it means that the bitmaps may be behind the files.
Result<void> check_state(const Super& super) {
  if ((super.state & state::kErrors) != 0)
    return fail(ErrorCode::corrupt, "the ext file system is marked as having errors", "run e2fsck on it");
  const bool journal = super.has_compat(compat::kHasJournal);
  const bool recover = super.has_incompat(incompat::kRecover);
  if ((super.state & state::kValid) == 0)
    return fail(ErrorCode::corrupt, "the ext file system was not unmounted cleanly", "run e2fsck on it");
  if (recover && !journal)
    return fail(ErrorCode::corrupt, "the ext file system asks for the replay of a journal that it does not have");
  if (recover && super.external_journal)
    return fail(ErrorCode::unsupported, "the ext file system's journal lies on another drive and is not replayed");
  return {};
}

}  // namespace

Result<std::shared_ptr<const Volume>> open_volume(std::shared_ptr<Drive> drive, const Super& super, ByteSpan raw,
                                                  bool verify_checksums) {
  TRY(check_super(super, raw, verify_checksums));
  if (super.blocks > drive->size_bytes() / super.block_bytes)
    return fail(ErrorCode::corrupt, "the ext file system is larger than its partition");
  TRY(check_state(super));
  auto volume = std::make_shared<Volume>();
  volume->drive = drive;
  volume->super = super;
  volume->verify_checksums = verify_checksums;
  volume->extra = TRY(survey_groups(*drive, super, verify_checksums));
  if (super.has_compat(compat::kHasJournal) && !super.external_journal) {
    // Looked at even if the file system is marked clean: a contradiction between the two is no reason to lose blocks.
    volume->journal = TRY(read_journal(*drive, super, verify_checksums));
    const ExtentSet named = volume->journal.extents();
    std::vector<Extent> both = volume->extra.items();
    both.insert(both.end(), named.items().begin(), named.items().end());
    volume->extra = ExtentSet(std::move(both));
  }
  volume->extra.add({0, kSuperOffset + kSuperBytes});
  volume->extra.add({super.bytes(), drive->size_bytes() - super.bytes()});
  return volume;
}

Result<std::uint64_t> find_last_used_byte(const std::shared_ptr<const Volume>& volume) {
  const Super& super = volume->super;
  std::uint64_t last = volume->extra.end();
  // Windows grow, so that a drive full to its end costs one read and an empty one few large ones.
  std::uint64_t window = 16;
  for (std::uint64_t end = super.groups(); end > 0;) {
    if (last >= std::min(super.group_first(end) * super.block_bytes, super.bytes())) break;
    const std::uint64_t first = end > window ? end - window : 0;
    const std::unique_ptr<ExtentStream> stream = stream_groups(volume, first, end);
    std::uint64_t found = 0;
    while (const std::optional<Extent> extent = TRY(stream->next())) found = extent->end();
    if (found > 0) return std::max(last, found);
    end = first;
    window = std::min<std::uint64_t>(window * 2, 4096);
  }
  return last;
}

}  // namespace tintype::ext
