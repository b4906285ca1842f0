// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "drive/drive.h"
#include "fs/filesystem.h"

namespace tintype {

// Changes files of a file system that is not mounted. One per file system, one thread at a time. While it exists the file system is marked
// as not clean, so that whoever comes after a crash has it checked. Everything an error leaves behind is something that the file
// system's own checker mends; files that are not named here are never touched.
class TreeWriter {
 public:
  using FolderId = std::uint64_t;
  using FileId = std::uint64_t;  // of a file being written; stays valid when it is renamed

  virtual ~TreeWriter() = default;  // close() without telling how it went
  // Error{not_found}, Error{usage} if it is no folder. Links are not followed.
  virtual Result<FolderId> folder(const std::string& path) = 0;
  // Error{exists}
  virtual Result<FolderId> make_folder(FolderId parent, const std::string& name) = 0;
  // An empty file under a name that is free.
  virtual Result<FileId> create(FolderId folder, const std::string& name) = 0;
  // A file that is there, cut off to `size`. Error{corrupt} if it is shorter.
  virtual Result<FileId> reopen(FolderId folder, const std::string& name, std::uint64_t size) = 0;
  // At its end. `written` tells how much arrived, also on failure. Error{no_space}.
  virtual Result<void> append(FileId file, ByteSpan data, std::size_t& written) = 0;
  virtual std::uint64_t size(FileId file) const = 0;
  virtual void release(FileId file) = 0;
  // Replaces `to`; its bytes are given back after the new name is on the drive.
  virtual Result<void> rename(FolderId folder, const std::string& from, const std::string& to) = 0;
  virtual Result<void> remove(FolderId folder, const std::string& name) = 0;  // fine if it is not there
  virtual std::uint64_t free_bytes() = 0;
  // The drive failed, or something was done by half: close() leaves the mark.
  virtual bool broken() const = 0;
  // Whatever is kept in memory is given to the drive, so that others read it there. The drive itself is not flushed.
  virtual Result<void> settle() = 0;
  // settle(), flush, and the file system is clean again. Nothing may be called afterwards.
  virtual Result<void> close() = 0;
};

// The names that a path is made of: "/a//b" has "a" and "b".
std::vector<std::string> names_in_path(const std::string& path);

// For the kinds of file system that can be written: NTFS, FAT, ext. `words` names the partition in messages. Error{unsupported} naming what it is
// or which feature of it cannot be dealt with; Error{refused} if it is not clean, with the way to get it mended.
Result<std::unique_ptr<TreeWriter>> open_tree_writer(std::shared_ptr<Drive> partition, const std::string& words);

// One per kind; the state has been checked.
Result<std::unique_ptr<TreeWriter>> open_ext_writer(std::shared_ptr<Drive> partition, const std::string& words);
Result<std::unique_ptr<TreeWriter>> open_ntfs_writer(std::shared_ptr<Drive> partition, const std::string& words);
Result<std::unique_ptr<TreeWriter>> open_fat_writer(std::shared_ptr<Drive> partition, const std::string& words);

}  // namespace tintype
