// SPDX-License-Identifier: GPL-3.0-or-later
#include "layout/types.h"

#include <array>
#include <string_view>

namespace tintype {
namespace {

struct Pair {
  std::uint8_t mbr;
  std::string_view guid;
};

constexpr std::string_view kBasicData = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7";
constexpr std::string_view kLinuxData = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";

// The first line with a GUID names its MBR type.
constexpr std::array kPairs = {
    Pair{0x07, kBasicData},
    Pair{0x01, kBasicData},
    Pair{0x04, kBasicData},
    Pair{0x06, kBasicData},
    Pair{0x0B, kBasicData},
    Pair{0x0C, kBasicData},
    Pair{0x0E, kBasicData},
    Pair{0x27, "DE94BBA4-06D1-4D40-A16A-BFD50179D6AC"},  // Windows recovery
    Pair{0x42, "AF9B60A0-1431-4F62-BC68-3311714A69AD"},  // dynamic disk data
    Pair{0x82, "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F"},  // swap
    Pair{0x83, kLinuxData},
    Pair{0x8E, "E6D6D379-F507-44C2-A23C-238F2A3DF928"},  // LVM
    Pair{0xA5, "516E7CB4-6ECF-11D6-8FF8-00022D09712B"},  // FreeBSD
    Pair{0xAF, "48465300-0000-11AA-AA11-00306543ECAC"},  // HFS+
    Pair{0xEF, "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"},  // EFI system
    Pair{0xFD, "A19D880F-05FC-4D3B-A006-743F0F84911E"},  // RAID
};

}  // namespace

bool is_extended_type(std::uint8_t type) { return type == 0x05 || type == 0x0F || type == 0x85; }

std::optional<Guid> guid_for_mbr_type(std::uint8_t type) {
  if (is_extended_type(type)) return std::nullopt;
  for (const Pair& pair : kPairs)
    if (pair.mbr == type) return guid_from_string(pair.guid);
  return guid_from_string(kLinuxData);
}

std::uint8_t mbr_type_for_guid(const Guid& type) {
  for (const Pair& pair : kPairs)
    if (guid_from_string(pair.guid) == type) return pair.mbr;
  return 0x83;
}

}  // namespace tintype
