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
  std::uint32_t id = 0;      // as typed after '@': MBR primary 1–4, volume 0xPVV (P: slot, VV: 01…FF), GPT 1–128;
                             // kHybridOnly + slot: an MBR entry of a hybrid drive that its GPT does not have
  std::uint64_t start_sector = 0;
  std::uint64_t sector_count = 0;
  std::uint8_t mbr_type = 0;   // MBR type byte; on a GPT drive that of the hybrid entry, else 0
  std::uint8_t mbr_slot = 0;   // 1–4: the entry of sector 0 that describes it (primary or hybrid); 0: none does
  std::optional<Guid> type_guid;     // GPT only
  std::optional<Guid> partition_guid;// GPT only
  std::uint64_t gpt_attributes = 0;
  std::string name;            // GPT name, UTF-8
  bool active = false;         // MBR: boot flag 0x80; GPT: legacy BIOS bootable attribute
  bool extended = false;       // a container of volumes, holds no file system itself
  bool leaves_drive = false;   // its start or end lies behind the drive's end (a problem says so): check before reading
  std::uint64_t embr_sector = 0;  // volumes: where the EMBR that describes it lies

  std::uint64_t end_sector() const { return start_sector + sector_count; }
  bool is_volume() const { return embr_sector != 0; }
  // "0x1", "0x301", GPT "3": what `list` shows and `@` takes.
  std::string id_text(TableKind table) const;
  friend bool operator==(const Partition&, const Partition&) = default;
};

inline constexpr std::uint32_t kHybridOnly = 0x10000;

// Raw sectors that make up the tables, so that they can be put back bit for bit.
struct TableSectors {
  std::uint64_t start_sector = 0;
  Bytes bytes;  // whole sectors
  friend bool operator==(const TableSectors&, const TableSectors&) = default;
};

// What a GPT says about itself, beside its partitions.
struct GptFacts {
  std::uint32_t entry_count = 128;
  std::uint32_t entry_bytes = 128;
  std::uint64_t first_usable_sector = 0;
  std::uint64_t last_usable_sector = 0;   // inclusive, as in the header
  std::uint64_t header_sector = 1;        // of the copy the partitions were read from
  std::uint64_t entries_sector = 2;       // of the same copy
  std::uint64_t primary_entries_sector = 2;  // where the primary array lies, or belongs if the primary is damaged
  std::uint64_t backup_header_sector = 0;    // where a sound backup header lies; 0: nowhere
  bool primary_sound = false;             // header and array of the primary copy pass their CRCs
  friend bool operator==(const GptFacts&, const GptFacts&) = default;
};

// Everything a drive's partition tables say, plus what is wrong with them. A plain value.
struct Layout {
  TableKind kind = TableKind::none;
  std::uint32_t sector_bytes = 512;
  std::uint64_t drive_sectors = 0;
  std::uint32_t mbr_signature = 0;       // NT disk signature; 0 if none
  std::optional<Guid> disk_guid;         // GPT
  std::optional<GptFacts> gpt;           // GPT and hybrid
  std::vector<Partition> partitions;     // in table order; volumes follow their extended partition in chain order
  std::vector<TableSectors> table_sectors;  // sector 0, every EMBR, sound GPT headers and entry arrays, ascending, merged;
                                            // empty if there is no table
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
// No table: kind none and no partitions; so is a sector 0 that is a file system's boot sector. Sources: UEFI
// specification 2.10 chapter 5; the MBR layout as documented there in 5.2 and in util-linux.
// A table without partitions, or one with problems, does not tell where data lies: whoever saves the drive then saves
// all of it.
Result<Layout> read_layout(Drive& drive);
// The same with another logical sector size than the drive claims (a raw copy of a 4096-byte-sector drive).
Result<Layout> read_layout(Drive& drive, std::uint32_t sector_bytes);

// 4096 if a GPT header lies where a drive of 4096-byte sectors has it and none where one of 512 has it, 512 for the
// reverse, else what the drive claims. For raw files, which do not say. Unreadable sectors count as "not there".
std::uint32_t detect_sector_bytes(Drive& drive);

// The layout that raw table sectors describe, as they are kept in an image, on a drive of the given size.
Result<Layout> layout_from_sectors(const std::vector<TableSectors>& sectors, std::uint64_t drive_sectors,
                                   std::uint32_t sector_bytes);

}  // namespace tintype
