// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <vector>

#include "layout/layout.h"

namespace tintype {

// The same layout on a drive of another size (in sectors of the same size): the GPT's usable range reaches to the
// new end. Error{no_space} with the numbers if a partition that lies on its drive does not fit.
Result<Layout> layout_on_drive(Layout layout, std::uint64_t target_sectors);

// The sectors that put the layout on a drive of `target_sectors`, in the order in which they are to be written:
// EMBRs from the last to the first, or the GPT's backup array and header, then its primary array and header;
// sector 0 comes last, so that a drive does not look whole before it is. What the layout did not change keeps its
// bytes (boot code, CHS fields, reserved areas). GPT: both copies are written, the backup at the end of the target, a damaged one
// is thereby repaired, and the protective entry covers the target; hybrid entries stay.
// Kind none gives nothing. A layout whose partitions leave its own drive (a cut-off image) is given back as it was read.
// Errors: no_space if it does not fit; unsupported if an MBR cannot express a position; corrupt if EMBRs and volumes
// of an edited layout contradict each other.
Result<std::vector<TableSectors>> render_tables(const Layout& layout, std::uint64_t target_sectors);

// Zeros for every sector that holds a table now (sector 0 last): what to write first where another kind of table will
// stand, so that no old GPT copy or EMBR is found again. Sector 0 keeps its boot code and loses table and magic.
std::vector<TableSectors> clear_tables(const Layout& layout);

}  // namespace tintype
