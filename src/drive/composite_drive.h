// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "drive/drive.h"

namespace tintype {

// A range of a larger drive and where its bytes are.
struct CompositePiece {
  Extent place{};                 // on the composite
  std::shared_ptr<Drive> drive;   // holds them
  std::uint64_t offset = 0;       // where they begin on `drive`
};

// Other drives and bytes put together to one read-only drive of info.size_bytes. Where pieces overlap, the one named first is
// read. What no piece covers reads as zeros and has the state not_saved. A piece may end behind its own drive, never behind the
// composite: what its drive lacks is not_saved. Errors of a piece say where on the composite they are. Writing is Error{denied}.
// Errors: out_of_bounds (a piece leaves the composite), usage (more than 4096 pieces).
Result<std::shared_ptr<Drive>> make_composite(DriveInfo info, std::vector<CompositePiece> pieces);

// Bytes as a drive, for a piece.
std::shared_ptr<Drive> drive_of(ByteSpan bytes);

}  // namespace tintype
