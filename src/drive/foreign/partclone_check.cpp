// SPDX-License-Identifier: GPL-3.0-or-later
// The whole image from front to back, block by block, so that even cumulative checksums and strips of any length are verified in the
// memory of one block.
#include <xxhash.h>

#include <cstring>

#include "drive/foreign/partclone_drive.h"
#include "drive/foreign/partclone_image.h"

namespace tintype {
namespace {

using Checksum = PartcloneHeader::Checksum;

class RunningSum {
 public:
  explicit RunningSum(const PartcloneHeader& header) : header_(header), state64_(XXH64_createState()), state128_(XXH3_createState()) { reset(); }
  ~RunningSum() {
    XXH64_freeState(state64_);
    XXH3_freeState(state128_);
  }
  RunningSum(const RunningSum&) = delete;
  RunningSum& operator=(const RunningSum&) = delete;

  void reset() {
    crc_ = kPartcloneCrcSeed;
    XXH64_reset(state64_, 0);
    XXH3_128bits_reset(state128_);
  }
  void add(ByteSpan block) {
    switch (header_.checksum) {
      case Checksum::crc32: crc_ = partclone_crc32(crc_, block); break;
      case Checksum::first_byte_crc32: crc_ = partclone_crc32_v1(crc_, block); break;
      case Checksum::xxh64: XXH64_update(state64_, block.data(), block.size()); break;
      case Checksum::xxh128: XXH3_128bits_update(state128_, block.data(), block.size()); break;
      case Checksum::none: break;
    }
  }
  bool equals(ByteSpan stored) const {
    if (header_.checksum == Checksum::xxh64) return le64(stored, 0) == XXH64_digest(state64_);
    if (header_.checksum == Checksum::xxh128) {
      const XXH128_hash_t hash = XXH3_128bits_digest(state128_);
      return le64(stored, 0) == hash.low64 && le64(stored, 8) == hash.high64;
    }
    return le32(stored, 0) == crc_;
  }

 private:
  const PartcloneHeader& header_;
  std::uint32_t crc_ = kPartcloneCrcSeed;
  XXH64_state_t* state64_;
  XXH3_state_t* state128_;
};

}  // namespace

Result<PartcloneCheck> check_partclone(ByteSource& source, const std::string& name, const Advance& advance) {
  // Not owned: the caller's object outlives this call.
  const PartcloneImage image = TRY(PartcloneImage::open(std::shared_ptr<ByteSource>(&source, [](ByteSource*) {}), name));
  const PartcloneHeader& header = image.header();
  PartcloneCheck check{.blocks = image.used().used(), .strips = image.strips()};
  RunningSum sum(header);
  Bytes block(header.block_bytes), stored(header.checksum_bytes);
  for (std::uint64_t rank = 0; rank < check.blocks; ++rank) {
    const std::uint64_t position = image.position_of(rank);
    TRY(source.read(position, block));
    if (advance) TRY(advance(block.size()));
    if (check.strips == 0) continue;
    sum.add(block);
    const bool last_of_strip = (rank + 1) % header.blocks_per_checksum == 0 || rank + 1 == check.blocks;
    if (!last_of_strip) continue;
    TRY(source.read(position + header.block_bytes, stored));
    if (!sum.equals(stored) && check.bad_strips++ == 0) check.first_bad_block = rank / header.blocks_per_checksum * header.blocks_per_checksum;
    if (header.reseed) sum.reset();
  }
  return check;
}

}  // namespace tintype
