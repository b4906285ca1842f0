// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/ext/ext.h"

#include <fmt/format.h>

#include <algorithm>

#include "fs/ext/volume.h"
#include "fs/probe.h"

namespace tintype::ext {
namespace {

FsState state_of(const Super& super, const Volume* volume) {
  const bool marked = (super.state & (state::kValid | state::kErrors | state::kOrphans)) != state::kValid ||
                      super.has_incompat(incompat::kRecover);
  return marked || (volume != nullptr && volume->journal.pending()) ? FsState::dirty : FsState::clean;
}

class ExtFileSystem final : public FileSystem {
 public:
  ExtFileSystem(std::uint64_t partition_bytes, const Super& super) : partition_bytes_(partition_bytes) {
    const bool journal_only = super.has_incompat(incompat::kJournalDev);
    info_.type = journal_only ? FsType::unknown : super.type;
    info_.label = super.label;
    info_.serial = super.uuid;
    info_.cluster_bytes = std::uint64_t{super.block_bytes} * std::max(super.cluster_blocks, 1u);
    info_.file_system_bytes = std::min(checked_mul(super.blocks, super.block_bytes).value_or(~0ull), partition_bytes);
    const std::uint64_t free_blocks = std::min(super.free_blocks, super.blocks);
    info_.used_bytes = checked_mul(super.blocks - free_blocks, super.block_bytes).value_or(partition_bytes);
    info_.free_bytes = checked_mul(free_blocks, super.block_bytes).value_or(0);
    info_.state = journal_only ? FsState::unknown : state_of(super, nullptr);
    info_.last_used_byte = partition_bytes;
  }

  void save_everything(const Error& why) {
    info_.warning = why.message() + ": all sectors are saved";
    info_.used_map_known = false;
    info_.last_used_byte = partition_bytes_;
    volume_.reset();
  }

  Result<void> use(std::shared_ptr<const Volume> volume) {
    info_.last_used_byte = TRY(find_last_used_byte(volume));
    info_.state = state_of(volume->super, volume.get());
    info_.used_map_known = true;
    volume_ = std::move(volume);
    return {};
  }

  Result<std::unique_ptr<ExtentStream>> used_map() override {
    if (!volume_) return stream_of(ExtentSet({{0, partition_bytes_}}));
    auto groups = stream_groups(volume_, 0, volume_->super.groups());
    return coalesced(together(std::move(groups), volume_->extra), partition_bytes_);
  }

 private:
  std::uint64_t partition_bytes_;
  std::shared_ptr<const Volume> volume_;  // null: everything is saved
};

}  // namespace

Result<std::unique_ptr<FileSystem>> open_ext(std::shared_ptr<Drive> partition, bool verify_checksums) {
  const std::uint64_t size = partition->size_bytes();
  if (size < kSuperOffset + kSuperBytes) return nullptr;
  Bytes raw(kSuperBytes);
  TRY(partition->read(kSuperOffset, raw));
  if (!looks_like_super(raw)) return nullptr;
  const Super super = describe_super(raw);
  auto file_system = std::make_unique<ExtFileSystem>(size, super);
  Result<std::shared_ptr<const Volume>> volume = open_volume(std::move(partition), super, raw, verify_checksums);
  Result<void> used = volume ? file_system->use(*std::move(volume)) : fail(volume.error());
  if (!used) {
    if (used.error().code == ErrorCode::cancelled) return fail(used.error());
    file_system->save_everything(used.error());
  }
  return file_system;
}

}  // namespace tintype::ext

namespace tintype {

Result<std::unique_ptr<FileSystem>> probe_ext(std::shared_ptr<Drive> partition) {
  return ext::open_ext(std::move(partition), true);
}

}  // namespace tintype
