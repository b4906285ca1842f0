// SPDX-License-Identifier: GPL-3.0-or-later
// Linux swap. Only the header page is worth keeping, unless a suspended system lies in the area. Sources: Linux
// include/linux/swap.h (union swap_header), kernel/power/swap.c (S1SUSPEND, LINHIB0001), util-linux mkswap(8).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "base/text.h"
#include "fs/cluster_runs.h"
#include "fs/probe.h"

namespace tintype {
namespace {

// The signature ends the header page; its other fields begin at 1024, behind room for a boot loader.
constexpr std::size_t kSignatureBytes = 10, kBootArea = 1024;
constexpr std::size_t kVersion = 1024, kLastPage = 1028, kBadPages = 1032, kUuid = 1036, kLabel = 1052, kLabelBytes = 16;
constexpr std::size_t kBadPageList = 1536;
constexpr std::size_t kSmallestPage = 4096, kLargestPage = 65536;

enum class Kind { none, version0, version1, suspended };

Kind kind_of(ByteSpan signature) {
  const std::string_view text = as_text(signature);
  if (text == "SWAPSPACE2") return Kind::version1;
  if (text == "SWAP-SPACE") return Kind::version0;
  for (const std::string_view suspended : {"S1SUSPEND", "S2SUSPEND", "ULSUSPEND", "LINHIB0001"})
    if (text.starts_with(suspended)) return Kind::suspended;
  if (text.starts_with("\xED\xC3\x02\xE9\x98\x56\xE5\x0C")) return Kind::suspended;  // TuxOnIce
  return Kind::none;
}

class SwapArea final : public FileSystem {
 public:
  SwapArea(std::shared_ptr<Drive> partition, Kind kind, ByteSpan header) : partition_bytes_(partition->size_bytes()) {
    info_.type = FsType::swap;
    info_.state = kind == Kind::suspended ? FsState::hibernated : FsState::clean;
    info_.cluster_bytes = header.size();
    info_.used_map_known = true;
    info_.file_system_bytes = partition_bytes_;
    used_ = ExtentSet({{0, header.size()}});
    if (kind != Kind::version0) read_header(header);
    info_.used_bytes = header.size();
    // Whatever lies behind the area is not swap's: the super block of a RAID member, for example.
    if (info_.file_system_bytes < partition_bytes_)
      used_.add({info_.file_system_bytes, partition_bytes_ - info_.file_system_bytes});

    if (kind == Kind::suspended) {
      info_.used_bytes = info_.file_system_bytes;
      save_everything(info_, *partition, "the swap area holds a suspended system");
      info_.used_map_known = true;  // all of it is the truth here, not a way out
    } else if (!all_zero(header.first(kBootArea))) {
      save_everything(info_, *partition, "something else than swap lies in the boot area of this swap partition");
    }
    if (!info_.warning.empty()) used_ = ExtentSet({{0, partition_bytes_}});
    info_.free_bytes = info_.file_system_bytes - info_.used_bytes;
    info_.last_used_byte = used_.end();
  }

  Result<std::unique_ptr<ExtentStream>> used_map() override { return stream_of(used_); }

 private:
  void read_header(ByteSpan header) {
    const bool big_endian = le32(header, kVersion) == 0x01000000;
    const std::uint64_t last_page = big_endian ? load_be<std::uint32_t>(header, kLastPage) : le32(header, kLastPage);
    const std::uint64_t area = (last_page + 1) * header.size();
    // Less than a page behind the last one cannot be swapped to, nor does anything else live there.
    if (area + header.size() <= partition_bytes_) info_.file_system_bytes = area;
    if (!all_zero(header.subspan(kUuid, 16))) info_.serial = uuid_to_string(header.subspan(kUuid, 16));
    info_.label = utf8_checked(header.subspan(kLabel, kLabelBytes));
  }

  std::uint64_t partition_bytes_;
  ExtentSet used_;
};

// Signatures survive under later owners of the partition, so the rest of the header must make sense as well.
bool plausible(Kind kind, ByteSpan header) {
  const std::string_view text = as_text(header);
  if (text.starts_with("LUKS\xBA\xBE") || text.starts_with("SKUL\xBA\xBE")) return false;
  if (kind == Kind::version0) return true;
  const std::uint32_t version = le32(header, kVersion);
  if (version != 1 && version != 0x01000000) return false;
  const bool big_endian = version != 1;
  const std::uint32_t last_page = big_endian ? load_be<std::uint32_t>(header, kLastPage) : le32(header, kLastPage);
  const std::uint32_t bad_pages = big_endian ? load_be<std::uint32_t>(header, kBadPages) : le32(header, kBadPages);
  return last_page != 0 && bad_pages <= (header.size() - kBadPageList - kSignatureBytes) / 4;
}

// An encrypted volume whose first header somebody overwrote can still be opened with its second one. Source: LUKS2
// On-Disk Format Specification 1.1, section 2.1, "secondary header offsets".
bool holds_second_luks_header(Drive& partition) {
  for (std::uint64_t at = 0x4000; at <= 0x400000; at *= 2) {
    std::array<std::byte, 6> magic{};
    if (!fits(at, magic.size(), partition.size_bytes())) return false;
    if (partition.read(at, magic) && as_text(magic) == "SKUL\xBA\xBE") return true;
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<FileSystem>> probe_swap(std::shared_ptr<Drive> partition) {
  for (std::size_t page = kSmallestPage; page <= kLargestPage && page <= partition->size_bytes(); page *= 2) {
    std::array<std::byte, kSignatureBytes> signature{};
    if (!partition->read(page - kSignatureBytes, signature)) continue;
    const Kind kind = kind_of(signature);
    if (kind == Kind::none) continue;
    Bytes header(page);
    if (!partition->read(0, header)) continue;
    if (plausible(kind, header) && !holds_second_luks_header(*partition)) return std::make_unique<SwapArea>(partition, kind, header);
  }
  return nullptr;
}

}  // namespace tintype
