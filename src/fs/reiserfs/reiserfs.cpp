// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "fs/probe.h"
#include "fs/reiserfs/bitmap_stream.h"

namespace tintype::reiserfs {
namespace {

constexpr std::uint16_t kUnmounted = 1;  // anything else: in use, or with errors

// True if a transaction waits to be written home. The journal's last block says which one was the last to be so and
// where the next begins; a transaction begins with its number and ends its first block with a magic word.
Result<bool> journal_pending(Drive& drive, const Super& super) {
  Bytes head(super.block_bytes), first(super.block_bytes);
  const std::uint64_t log_blocks = super.journal_blocks - 1;
  TRY(drive.read((super.journal_first + log_blocks) * super.block_bytes, head));
  const std::uint32_t flushed = le32(head, 0);
  const std::uint32_t offset = le32(head, 4);
  if (offset >= log_blocks) return fail(ErrorCode::corrupt, "the header of the ReiserFS journal is damaged");
  TRY(drive.read((super.journal_first + offset) * super.block_bytes, first));
  return as_text(ByteSpan(first).subspan(first.size() - 12, 8)) == "ReIsErLB" && le32(first, 0) > flushed;
}

}  // namespace

Result<void> check_clean(Drive& drive, const Super& super) {
  if (super.unmount_state != kUnmounted || super.repair_state != 0)
    return fail(ErrorCode::corrupt, "the ReiserFS file system was not unmounted cleanly", "run reiserfsck on it");
  if (!super.journal_elsewhere && TRY(journal_pending(drive, super)))
    return fail(ErrorCode::corrupt, "the ReiserFS journal is not replayed", "mount and unmount it once");
  return {};
}

namespace {

// In use whatever the bitmaps say.
ExtentSet fixed_parts(const Super& super, std::uint64_t partition_bytes) {
  ExtentSet parts;
  parts.add({0, (super.place / super.block_bytes + 1) * super.block_bytes});
  parts.add({super.journal_first * super.block_bytes, super.journal_blocks * super.block_bytes});
  for (std::uint64_t i = 0; i < super.bitmaps(); ++i)
    parts.add({super.bitmap_block(i) * super.block_bytes, super.block_bytes});
  parts.add({super.bytes(), partition_bytes - super.bytes()});
  return parts;
}

class ReiserFileSystem final : public FileSystem {
 public:
  ReiserFileSystem(std::shared_ptr<Drive> drive, const Super& super) : drive_(std::move(drive)), super_(super) {
    const std::uint64_t free_blocks = std::min(super.free_blocks, super.blocks);
    info_.type = FsType::reiserfs;
    info_.label = super.label;
    info_.serial = super.uuid;
    info_.cluster_bytes = super.block_bytes;
    info_.file_system_bytes = std::min(super.bytes(), drive_->size_bytes());
    info_.used_bytes = (super.blocks - free_blocks) * super.block_bytes;
    info_.free_bytes = free_blocks * super.block_bytes;
    info_.last_used_byte = drive_->size_bytes();
    info_.state = FsState::dirty;
  }

  Result<void> use() {
    TRY(check_super(super_, drive_->size_bytes()));
    TRY(check_clean(*drive_, super_));
    info_.state = FsState::clean;
    fixed_ = fixed_parts(super_, drive_->size_bytes());
    info_.last_used_byte = TRY(find_last_used_byte());
    info_.used_map_known = true;
    return {};
  }

  void save_everything(const Error& why) {
    info_.warning = why.message() + ": all sectors are saved";
    info_.last_used_byte = drive_->size_bytes();
  }

  Result<std::unique_ptr<ExtentStream>> used_map() override {
    const std::uint64_t size = drive_->size_bytes();
    if (!info_.used_map_known) return stream_of(ExtentSet({{0, size}}));
    return coalesced(together(stream_bitmaps(drive_, super_, 0, super_.bitmaps()), fixed_), size);
  }

 private:
  Result<std::uint64_t> find_last_used_byte() const {
    for (std::uint64_t i = super_.bitmaps(); i-- > 0;) {
      if (fixed_.end() >= std::min((i + 1) * super_.blocks_per_bitmap(), super_.blocks) * super_.block_bytes) break;
      const auto stream = stream_bitmaps(drive_, super_, i, i + 1);
      std::uint64_t found = 0;
      while (const std::optional<Extent> extent = TRY(stream->next())) found = extent->end();
      if (found > 0) return std::max(found, fixed_.end());
    }
    return fixed_.end();
  }

  std::shared_ptr<Drive> drive_;
  Super super_;
  ExtentSet fixed_;  // one entry a bitmap: 131,072 for 16 TiB in 4 KiB blocks
};

}  // namespace
}  // namespace tintype::reiserfs

namespace tintype {

Result<std::unique_ptr<FileSystem>> probe_reiserfs(std::shared_ptr<Drive> partition) {
  using namespace reiserfs;
  std::optional<Super> super = TRY(find_super(*partition));
  if (!super) return nullptr;
  auto file_system = std::make_unique<ReiserFileSystem>(std::move(partition), std::move(*super));
  if (Result<void> used = file_system->use(); !used) {
    if (used.error().code == ErrorCode::cancelled) return fail(used.error());
    file_system->save_everything(used.error());
  }
  return file_system;
}

}  // namespace tintype
