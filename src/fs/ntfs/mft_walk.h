// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "fs/ntfs/mft.h"

namespace tintype::ntfs {

// Calls `visit` for every record, base and extension, in order and in large reads, passing over what says that it is not in use; a
// record that cannot be read or understood comes as null. (Mft::scan() stops at such a one: it guards a used map.)
using RecordVisit = std::function<void(std::uint64_t number, const Record* record)>;
void walk_records(const Mft& mft, const RecordVisit& visit);
std::uint64_t record_count(const Mft& mft);

// Where a range of a stream lies on the partition, holes left out.
std::vector<Extent> places_of(const RunList& runs, std::uint64_t cluster_bytes, Extent range);

}  // namespace tintype::ntfs
