// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <string>

#include "drive/drive.h"
#include "store/place.h"

namespace tintype {

// A folder of a file system on a partition that is not mounted, for reading, through our own readers (fs/file_tree.h). `words` names the
// place in messages: "0@1:/backups". Whatever would change it is Error{unsupported}. Errors: what open_file_tree() and find_node() say; usage if
// it is no folder.
Result<std::unique_ptr<Place>> open_partition_place(std::shared_ptr<Drive> partition, const std::string& folder, std::string words);

}  // namespace tintype
