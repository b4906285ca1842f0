// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "drive/drive.h"
#include "drive/foreign/byte_source.h"

namespace tintype {

// An image of partclone (format 0001 or 0002) as a read-only drive of the size of its source device. Blocks that it does not hold
// read as zeros and are not_saved. Every checksum is verified as blocks are read: those of one strip of blocks by themselves, cumulative
// CRCs by going on from the stored one before. Not verified here, only by check_partclone(): cumulative xxHash, strips above 64 MiB. Checksums of version 1
// cover only the first byte of each block, whoever verifies them. Damage is Error{corrupt} with the position on the drive.
// `sector_bytes`: what the drive gives as its sector size; 0: 512.
Result<std::shared_ptr<Drive>> open_partclone(std::shared_ptr<ByteSource> source, const std::string& name, std::uint32_t sector_bytes = 0);

// What reading all of it from front to back found.
struct PartcloneCheck {
  std::uint64_t blocks = 0;       // held
  std::uint64_t strips = 0;       // with a checksum
  std::uint64_t bad_strips = 0;   // that do not fit it
  std::uint64_t first_bad_block = 0;  // counted among the blocks held; only if there are bad strips
};
// `advance` hears of the bytes read, and ends it with the error that it returns. Errors: those of opening; corrupt if the image ends early.
using Advance = std::function<Result<void>(std::uint64_t bytes)>;
Result<PartcloneCheck> check_partclone(ByteSource& source, const std::string& name, const Advance& advance = {});

}  // namespace tintype
