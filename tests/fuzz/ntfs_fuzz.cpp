// SPDX-License-Identifier: GPL-3.0-or-later
// Input: a volume as ntfs_volume.h has it.
#include "ntfs_volume.h"

#include "fs/filesystem.h"

using namespace tintype;

namespace {

void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteSpan input(reinterpret_cast<const std::byte*>(data), size);
  const auto drive = fuzz::ntfs_volume_of(input);
  if (!drive) return 0;

  const auto fs = open_file_system(drive);
  require(fs.has_value());
  const FsInfo& info = (*fs)->info();
  require(info.used_map_known || info.type == FsType::unknown || !info.warning.empty());
  const auto stream = (*fs)->used_map();
  if (!stream) return 0;
  const auto map = collect(**stream);
  if (!map) return 0;  // damage found late: the caller starts again with everything
  require(map->end() <= drive->size_bytes());
  if (info.type == FsType::ntfs) require(map->end() == info.last_used_byte);
  const auto files = (*fs)->left_out_files();
  if (!files) return 0;
  for (const LeftOutFile& file : *files)
    for (const Extent& extent : file.extents.items()) require(map->clipped(extent).total_bytes() == extent.length);
  return 0;
}
