// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <vector>

#include "base/environment.h"
#include "layout/layout.h"

namespace tintype {

// Changes to a layout, as functions from value to value; nothing is written. render_tables() turns the result into
// sectors. layout.drive_sectors is the drive that is edited: use layout_on_drive() first if it is another one.
// Bad requests are Error{usage}, full tables Error{refused}, missing room Error{no_space} with the numbers,
// an unknown id Error{not_found}.

// A new, empty table (mbr or gpt) with a random signature.
Result<Layout> make_layout(TableKind kind, std::uint64_t drive_sectors, std::uint32_t sector_bytes, Random& random);

// 1 MiB, the alignment that every current system uses, in sectors of the drive.
std::uint64_t default_alignment_sectors(const Layout& layout);

struct FreeSpace {
  std::uint64_t start_sector = 0;   // the whole gap
  std::uint64_t sector_count = 0;
  std::uint32_t extended_id = 0;    // 1–4: inside this extended partition; 0: outside any
  std::uint64_t usable_start = 0;   // first aligned sector at which a partition can begin; a volume's EMBR fits before it
  std::uint64_t usable_count = 0;   // from there to the end; 0 if nothing fits
  std::uint64_t embr_sector = 0;    // inside an extended partition: where the new volume's EMBR would go
};
// Ascending, those outside before those inside extended partitions. Alignment 0: the default. Empty for kind none.
std::vector<FreeSpace> free_space(const Layout& layout, std::uint64_t alignment_sectors = 0);

struct Placement {
  enum class Where { anywhere, primary, volume };
  Where where = Where::anywhere;                // anywhere: outside extended partitions if there is a slot, else inside
  std::optional<std::uint64_t> start_sector;    // exactly here; empty: the first aligned gap that is large enough
  std::uint64_t alignment_sectors = 0;          // 0: the default
};
struct Added {
  Layout layout;
  std::uint32_t id = 0;
};
// Puts a partition into free space. Of `wanted` count: sector_count (0: the largest gap, or to the end of the one at
// start_sector), mbr_type or type_guid (one follows from the other if missing), name, gpt_attributes, active,
// partition_guid (a new one if missing or already there), extended (MBR: a container with an empty chain).
// A volume goes to the end of its chain, so that the others keep their ids.
Result<Added> add_partition(Layout layout, const Partition& wanted, const Placement& placement, Random& random);

// An extended partition goes with its volumes. The volumes behind a removed one move up by one id.
Result<Layout> remove_partition(Layout layout, std::uint32_t id);

// Gives an existing partition the type of `like` (its mbr_type or type_guid, whichever the table needs).
Result<Layout> set_type(Layout layout, std::uint32_t id, const Partition& like);

// MBR: this primary alone carries the boot flag. GPT: sets the legacy BIOS bootable attribute here, clears it elsewhere.
Result<Layout> set_active(Layout layout, std::uint32_t id);

// A new disk signature, different from the old one and not 0; GPT: new GUIDs of the disk and of every partition.
Result<Layout> new_signature(Layout layout, Random& random);

}  // namespace tintype
