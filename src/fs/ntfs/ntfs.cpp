// SPDX-License-Identifier: GPL-3.0-or-later
// Opening a volume: boot sector → $MFT → $Bitmap → state. The first thing that cannot be trusted ends it with "everything is
// saved", keeping the facts found so far.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "fs/ntfs/boot_sector.h"
#include "fs/ntfs/cluster_bitmap.h"
#include "fs/ntfs/left_out.h"
#include "fs/ntfs/volume_state.h"
#include "fs/probe.h"

namespace tintype {
namespace ntfs {
namespace {

class NtfsFileSystem final : public FileSystem {
 public:
  explicit NtfsFileSystem(std::shared_ptr<Drive> partition) : partition_(std::move(partition)) {
    info_.type = FsType::ntfs;
    info_.file_system_bytes = info_.used_bytes = info_.last_used_byte = partition_->size_bytes();
  }

  // Gives up on the map, not on the facts.
  void save_everything(std::string why) {
    info_.warning = std::move(why) + ": all sectors are saved";
    info_.used_map_known = false;
    volume_.reset();
  }

  void open(const BootSector& boot) {
    info_.serial = boot.serial_text();
    info_.cluster_bytes = boot.cluster_bytes;
    const std::uint64_t sectors_end = boot.total_sectors * boot.sector_bytes;
    if (sectors_end > partition_->size_bytes()) return save_everything("NTFS is larger than its partition");
    info_.file_system_bytes = std::min(sectors_end + boot.sector_bytes, partition_->size_bytes());
    if (const auto opened = open_volume(boot); !opened) save_everything(opened.error().message());
  }

  Result<std::unique_ptr<ExtentStream>> used_map() override {
    const std::uint64_t size = partition_->size_bytes();
    if (!volume_) return stream_of(ExtentSet({{0, size}}));
    const std::uint64_t clusters_end = volume_->mft.boot().clusters_end();
    const ExtentSet always(std::vector<Extent>{{0, std::min(kBootAreaBytes, size)}, {clusters_end, size - clusters_end}});
    return coalesced(together(stream_used_clusters(volume_, info_.state != FsState::clean), always), size);
  }

  Result<std::vector<LeftOutFile>> left_out_files() override {
    if (!volume_) return std::vector<LeftOutFile>{};
    return find_left_out_files(*volume_, system_ranges_);
  }

 private:
  Result<void> open_volume(const BootSector& boot) {
    Mft mft = TRY(Mft::open(*partition_, boot));
    const VolumeFacts facts = TRY(read_volume_facts(mft));
    info_.label = facts.label;
    info_.state = facts.state;
    ClusterBitmap bitmap = TRY(ClusterBitmap::open(mft));
    const std::uint64_t used = TRY(bitmap.count_used()) * boot.cluster_bytes;
    info_.used_bytes = used;
    info_.free_bytes = boot.clusters_end() - used;
    TRY(check_system_ranges(mft, bitmap));
    // A record that cannot be read may hide the very runs that the bitmap lacks.
    if (facts.state != FsState::clean) TRY(mft.scan(check_runs(boot)));
    volume_ = std::make_shared<Volume>(Volume{partition_, std::move(mft), std::move(bitmap)});
    info_.used_map_known = true;
    return {};
  }

  static Mft::Visit check_runs(const BootSector& boot) {
    return [total = boot.total_clusters](std::uint64_t, const Record& record) -> Result<void> {
      for (const Attribute& attribute : record.attributes) {
        RunDecoder decoder(attribute.mapping_pairs, 0, total);
        while (TRY(decoder.next())) continue;
      }
      return {};
    };
  }

  // A bitmap that calls the file system's own structures free says nothing about anything else. On an unclean volume $MFT
  // may have grown since the bitmap was written, and its runs are added anyway; the others never grow.
  Result<void> check_system_ranges(Mft& mft, const ClusterBitmap& bitmap) {
    const std::uint64_t cluster_bytes = mft.boot().cluster_bytes;
    std::vector<Extent> fixed{{0, kBootAreaBytes}};
    std::vector<Extent> growing;
    const auto add = [&](std::vector<Extent>& to, const Stream& stream) {
      const std::vector<Extent> extents = stream.runs.extents(cluster_bytes);
      to.insert(to.end(), extents.begin(), extents.end());
    };
    for (const Stream& stream : mft.self().streams) add(growing, stream);
    add(fixed, bitmap.stream());
    for (const std::uint64_t number : {kMirrorRecord, kLogFileRecord, kBootRecord}) {
      const File file = TRY(mft.load_file(number));
      for (const Stream& stream : file.streams) add(fixed, stream);
    }
    const ExtentSet fixed_ranges(fixed);
    fixed.insert(fixed.end(), growing.begin(), growing.end());
    system_ranges_ = ExtentSet(std::move(fixed));
    const ExtentSet& must_be_used = info_.state == FsState::clean ? system_ranges_ : fixed_ranges;
    if (!TRY(bitmap.all_used(must_be_used)))
      return fail(ErrorCode::corrupt, "$Bitmap calls clusters of the file system itself free");
    return {};
  }

  std::shared_ptr<Drive> partition_;
  std::shared_ptr<Volume> volume_;  // empty: everything is saved
  ExtentSet system_ranges_;
};

Result<bool> another_file_system(const std::shared_ptr<Drive>& partition) {
  for (const Probe probe : std::array<Probe, 5>{probe_exfat, probe_ext, probe_reiserfs, probe_swap, probe_fat})
    if (TRY(probe(partition))) return true;
  return false;
}

}  // namespace
}  // namespace ntfs

Result<std::unique_ptr<FileSystem>> probe_ntfs(std::shared_ptr<Drive> partition) {
  using namespace ntfs;
  if (partition->size_bytes() < kBootSectorBytes) return nullptr;
  Bytes sector(kBootSectorBytes);
  TRY(partition->read(0, sector));
  auto found = std::make_unique<NtfsFileSystem>(partition);
  if (const auto boot = parse_boot_sector(sector)) {
    found->open(*boot);
    return found;
  }
  const auto backup = read_backup_boot_sector(*partition);
  if (!backup) {
    if (!names_ntfs(sector)) return nullptr;
    found->save_everything("the boot sector of NTFS is damaged");
    return found;
  }
  if (!names_ntfs(sector)) {
    if (!Mft::open(*partition, *backup)) return nullptr;
    if (TRY(another_file_system(partition))) return nullptr;
  }
  found->open(*backup);
  found->save_everything("the boot sector of NTFS is damaged, only its backup is sane");
  return found;
}

}  // namespace tintype
