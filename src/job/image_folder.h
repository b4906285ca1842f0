// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "image/catalog.h"
#include "plan/retention.h"
#include "store/place.h"

namespace tintype {

// An image set found in a folder.
struct FoundSet {
  RetentionSet set;                // the name without ".tti"; why_kept if it cannot be understood
  std::string file;                // its first part
  std::vector<std::string> others; // the rest of its files: further parts, and the recovery data beside it
  std::string kind;                // full, differential, incremental; empty if not known
  std::uint64_t bytes = 0;         // of all files
};

// What a purge that was cut off has left: the first part under a name that no image has, and the parts that went with it.
struct Leftover {
  std::string marker;              // "pc.tti.purged"
  SetId id{};
  std::vector<std::string> files;
};

struct ImageFolder {
  std::vector<FoundSet> sets;      // by name
  std::vector<Leftover> leftovers;
};

// While a set is being deleted its first part has this name; it goes last.
std::string purged_name(const std::string& file);

// Whether a file is a part of the set, or recovery data of it: that has the set's id at its beginning. False if it is
// not there.
Result<bool> belongs_to(Place& place, const std::string& name, const SetId& id);

// Finds the image sets of a folder by the headers of its files, and reads the catalogs of those that need no password or that
// `password` opens. What cannot be read, and what a backup is writing or has left unfinished, is listed with why_kept, its needs
// as far as they can be told. Removes nothing. Errors: the folder, or the beginning of a file that has the name of one of ours,
// cannot be read (nobody knows what that one needs); cancelled.
Result<ImageFolder> scan_images(const std::shared_ptr<Place>& place, const std::optional<std::string>& password,
                                const CancelToken& cancel);

// Equal for images that can stand for one another: the source drive by its table's signature or GUID, else by its serial number,
// else by host, path and size; and the whole of it or the same partitions.
std::string source_identity(const Catalog& catalog);

}  // namespace tintype
