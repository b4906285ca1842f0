// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/extent.h"
#include "drive/drive.h"
#include "image/catalog.h"

namespace tintype {

// Damaged bytes of one partition; they count from its start.
struct PartitionDamage {
  std::string partition;  // for people: "partition 0x1 (ntfs, Windows)"
  Extent range;           // of the drive
  ExtentSet bytes;
  ExtentSet doubtful = {};           // missing as well, but perhaps never in use: free space among them is not told
  std::uint64_t unlisted_bytes = 0;  // damaged too, in places that are not kept
};

// Adds damaged bytes of an area; of a partition the first thousand ranges are kept. The first track has no files and is passed over.
void add_damage(std::vector<PartitionDamage>& damage, const Area& area, const Layout& layout, Extent bytes);

// Something that damage hits.
struct Hit {
  enum class Kind { unknown, structure, folder, file, free_space };  // in the order in which they are told
  Kind kind = Kind::unknown;
  std::string partition;
  std::string what;  // path of a file or folder, bytes as in FileTree; else words; unknown: why it cannot be told
  std::string part;  // what of it, if that says more: "MFT record"
  std::uint64_t bytes = 0;
  std::string line() const;  // "partition 0x1 (ntfs, Windows): /Users/ann/a.doc, 4.00 KiB", printable
};
const char* to_string(Hit::Kind kind);  // the word of JSON

inline constexpr std::size_t kMostHits = 1000;

// Where files cannot be told comes first, then damaged structures, as they can hide files; free space comes last.
struct Hits {
  std::vector<Hit> listed;  // at most kMostHits
  std::uint64_t count = 0;  // all
  void add(Hits more);
  std::vector<std::string> lines() const;  // ends with "and 37 more" if not all are listed
};

// Looks the owners up on `drive`: the one that was saved, an opened image, what a salvage wrote. The damaged bytes are never read, as what
// stands there may be zeros that mean something. Goes through the whole of each damaged file system; what could not be looked up, also
// because it was cancelled, is told as such.
Hits owners_of_damage(const std::shared_ptr<Drive>& drive, const std::vector<PartitionDamage>& damage, const CancelToken& cancel);

}  // namespace tintype
