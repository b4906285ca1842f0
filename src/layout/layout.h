// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/text.h"
#include "drive/drive.h"

namespace tintype {

enum class TableKind { none, mbr, gpt, hybrid };
const char* to_string(TableKind kind);

// One partition as its table describes it. Positions are in logical sectors of the drive.
struct Partition {
  std::uint32_t id = 0;      // as typed after '@': MBR primary 1–4, volume 0xPVV (P: slot, VV: 01…FF), GPT 1–128
  std::uint64_t start_sector = 0;
  std::uint64_t sector_count = 0;
  std::uint8_t mbr_type = 0;   // MBR type byte; on a GPT drive that of the hybrid entry, else 0
  std::optional<Guid> type_guid;     // GPT only
  std::optional<Guid> partition_guid;// GPT only
  std::uint64_t gpt_attributes = 0;
  std::string name;            // GPT name, UTF-8
  bool active = false;         // MBR: boot flag 0x80; GPT: legacy BIOS bootable attribute
  bool extended = false;       // a container of volumes, holds no file system itself
  std::uint64_t embr_sector = 0;  // volumes: where the EMBR that describes it lies

  std::uint64_t end_sector() const { return start_sector + sector_count; }
  // "0x1", "0x301", GPT "3": what `list` shows and `@` takes.
  std::string id_text(TableKind table) const;
};

// Raw sectors that make up the tables, so that they can be put back bit for bit.
struct TableSectors {
  std::uint64_t start_sector = 0;
  Bytes bytes;  // whole sectors
};

// Everything a drive's partition tables say, plus what is wrong with them. A plain value.
struct Layout {
  TableKind kind = TableKind::none;
  std::uint32_t sector_bytes = 512;
  std::uint64_t drive_sectors = 0;
  std::uint32_t mbr_signature = 0;       // NT disk signature; 0 if none
  std::optional<Guid> disk_guid;         // GPT
  std::vector<Partition> partitions;     // in table order; volumes follow their extended partition in chain order
  std::vector<TableSectors> table_sectors;  // sector 0, every EMBR, both GPT headers and entry arrays, ascending
  std::vector<std::string> problems;     // one sentence each; empty if the tables are sane
  bool recovered_from_backup = false;    // GPT: the primary was damaged, the backup was used
  bool boot_code = false;                // sector 0 holds boot code

  const Partition* find(std::uint32_t id) const;
  // Sectors in front of the first partition (sector 0 included), at most 1 MiB and at least 63 sectors where
  // there is room; 0 if there is no table.
  std::uint64_t first_track_sectors() const;
  // "A1B2C3D4" for MBR, the GUID for GPT, empty for none.
  std::string signature_text() const;
};

// Reads MBR with extended chains, GPT (backup copy used if the primary is damaged), hybrid, or none. Damage is reported
// in problems with the sane partitions kept; the only errors are those of reading sector 0.
// No table: kind none and no partitions. Sources: UEFI specification 2.10 chapter 5; the MBR layout as documented
// there in 5.2 and in util-linux.
Result<Layout> read_layout(Drive& drive);

}  // namespace tintype
