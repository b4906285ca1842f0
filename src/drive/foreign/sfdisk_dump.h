// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tintype {

// A partition table as `sfdisk --dump` writes it (util-linux, sfdisk(8)), old versions ("Id=83") included. Positions in sectors.
struct SfdiskDump {
  struct Entry {
    std::string device;       // without "/dev/": "sda1", "nvme0n1p2"
    std::uint32_t number = 0; // the digits at its end
    std::uint64_t start = 0, sectors = 0;
    std::uint8_t mbr_type = 0;  // dos only
    bool bootable = false;
    bool extended() const { return mbr_type == 0x05 || mbr_type == 0x0F || mbr_type == 0x85; }
  };
  bool gpt = false;
  std::uint32_t signature = 0;    // label-id of a dos table
  std::uint32_t sector_bytes = 0; // 0: not told
  std::uint64_t last_lba = 0;     // GPT: the last usable sector; 0: not told
  std::vector<Entry> entries;     // without empty ones
};

// Errors: corrupt for a line that is none, more than 1024 partitions, positions beyond 2^53 sectors.
Result<SfdiskDump> parse_sfdisk_dump(std::string_view text, const std::string& name);

}  // namespace tintype
