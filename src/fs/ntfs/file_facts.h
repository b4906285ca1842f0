// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "fs/file_tree.h"
#include "fs/ntfs/names.h"

namespace tintype::ntfs {

// A node out of what a file's records say of it, without its name. Error{corrupt} or the drive's error if the base record is not that
// of the file; what an attribute list hides is told by `problem`, and the node is as good as the rest allows.
Result<FileNode> load_node(const Mft& mft, FileReference file, std::optional<Error>& problem);
// The same out of an entry in a folder's index, for a file whose record cannot be read.
FileNode node_of_name(FileReference file, const FileName& name);

enum DosAttributes : std::uint32_t {
  kHiddenAttribute = 0x2,
  kSystemAttribute = 0x4,
  kFolderAttribute = 0x10,
  kSparseAttribute = 0x200,
  kReparseAttribute = 0x400,
  kCompressedAttribute = 0x800,
  kEncryptedAttribute = 0x4000,
};

}  // namespace tintype::ntfs
