// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "drive/composite_drive.h"
#include "drive/foreign/partclone_drive.h"
#include "drive/foreign/partclone_format.h"
#include "drive/foreign/sfdisk_dump.h"

namespace {

using namespace tintype;

// A fuzzer does not find checksums: those of the head and of a small used map are set right.
Bytes with_checksums(ByteSpan given) {
  Bytes image(given.begin(), given.end());
  if (image.size() < kPartcloneHeadBytes) return image;
  const auto seal = [&](std::size_t from, std::size_t to) {
    if (to + 4 <= image.size()) store_le<std::uint32_t>(image, to, partclone_crc32(kPartcloneCrcSeed, ByteSpan(image).subspan(from, to - from)));
  };
  seal(0, 106);
  if (const std::uint64_t blocks = le64(image, 60); blocks < 8 * image.size()) seal(110, 110 + static_cast<std::size_t>(div_round_up(blocks, 8)));
  return image;
}

void read_here_and_there(Drive& drive) {
  const std::uint64_t size = drive.size_bytes();
  Bytes out(3000);
  std::uint64_t at = 0;
  for (int i = 0; i < 64 && at < size; ++i) {
    const auto status = drive.status(at, size - at);
    if (!status) break;
    if (status->extent.start != at || status->extent.length == 0 || status->extent.length > size - at) __builtin_trap();
    for (const std::uint64_t from : {at, status->extent.end() - 1}) {
      const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size - from));
      const auto result = drive.read(from, MutableByteSpan(out).first(length));
      if (result && from == at && status->state == BlockState::not_saved &&
          !all_zero(ByteSpan(out).first(static_cast<std::size_t>(std::min<std::uint64_t>(length, status->extent.length)))))
        __builtin_trap();
    }
    at = status->extent.end();
  }
}

}  // namespace

// An image as it is, the same with sound checksums, each also as a compressed stream if it looks like one; and a partition table.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteSpan bytes(reinterpret_cast<const std::byte*>(data), size);
  std::ignore = parse_sfdisk_dump(as_text(bytes), "fuzz");
  for (const Bytes& image : {Bytes(bytes.begin(), bytes.end()), with_checksums(bytes)}) {
    // A map that says "all" needs no bytes in the file, only 16 bytes of memory for 64 Ki blocks: sound, but slow here.
    const auto header = parse_partclone_header(image, "fuzz");
    if (header && header->total_blocks > std::uint64_t{1} << 26) continue;
    auto source = open_byte_source(drive_of(image));
    if (!source) continue;
    auto drive = open_partclone(*source, "fuzz");
    if (!drive) continue;
    read_here_and_there(**drive);
    if ((*drive)->size_bytes() < 1U << 20) std::ignore = check_partclone(**source, "fuzz");
  }
  return 0;
}
