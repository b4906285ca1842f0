// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "drive/drive.h"
#include "store/place.h"

namespace tintype {

// The files of one partition that is not mounted, shared by all places in it: there must be one of these for a partition in a process, since
// what one place changes the others must see. Read through our own readers (fs/file_tree.h); written, from the first change on, by the
// libraries behind store/writers/tree_writer.h. Thread safe.
class PartitionFiles;

// Opens the same partition again for writing, after all checks of whether that may be done, locked against everybody else. The drive opened for
// reading has been let go by then: a virtual drive is opened by one at a time.
using OpenForWriting = std::function<Result<std::shared_ptr<Drive>>()>;
using OpenForReading = std::function<Result<std::shared_ptr<Drive>>()>;

// `words` names the partition in messages. Errors: what opening and open_file_tree() say.
Result<std::shared_ptr<PartitionFiles>> open_partition_files(const OpenForReading& read, OpenForWriting write, std::string words);

// A folder in it. `words` names it in messages: "0@1:/backups". `make`: it is made if it is not there, with its parents. Nothing is changed, nor the
// drive opened for writing, before the first thing that needs it. What was written is on the drive, and the file system clean, when
// sync() has succeeded or the last place has gone. Errors: what find_node() says; usage if it is no folder.
Result<std::unique_ptr<Place>> open_partition_place(std::shared_ptr<PartitionFiles> files, const std::string& folder, std::string words, bool make = false);

}  // namespace tintype
