// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "layout/layout.h"
#include "layout/mbr.h"

namespace tintype {

// What rendering shares. Private to the room.

// The bytes of one kept sector, if the layout has them.
std::optional<Bytes> raw_sector(const Layout& layout, std::uint64_t sector);
// Several of them in a row; empty if one is missing.
std::optional<Bytes> raw_sectors(const Layout& layout, std::uint64_t sector, std::uint64_t count);

// Writes an entry unless the same is there already, so that CHS fields of what did not change stay.
void put_mbr_entry(MutableByteSpan sector, std::size_t index, const MbrEntry& entry);

// Both expect a layout that fits its drive_sectors (layout_on_drive). Order of writing, as render_tables promises.
Result<std::vector<TableSectors>> render_mbr(const Layout& layout);
Result<std::vector<TableSectors>> render_gpt(const Layout& layout);

}  // namespace tintype
