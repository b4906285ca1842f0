// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/extent.h"
#include "base/result.h"
#include "drive/drive.h"
#include "fs/filesystem.h"

namespace tintype {

enum class NodeKind { file, folder, symlink, reparse_point, device, fifo, socket };
const char* to_string(NodeKind kind);  // the lower-case word `ls --json` uses

// Nanoseconds since 1970 UTC; empty where the file system keeps none, or one behind 2262, which does not fit.
using FileTime = std::optional<std::int64_t>;

// A further named stream of an NTFS file.
struct NamedStream {
  std::string name;
  std::uint64_t size_bytes = 0;
};

// A file, folder or the like. Names are bytes as a Linux system would show them: UTF-8 where the file system keeps UTF-16 (a lone
// surrogate as three bytes), whatever is there where it keeps bytes. They are hostile: an owner that makes files of them must
// refuse '/', zero bytes, "." and "..".
struct FileNode {
  std::uint64_t id = 0;  // of the file system's own: inode, MFT record, place of the directory entry; the same for hard links
  NodeKind kind = NodeKind::file;
  std::string name;      // empty: the root
  std::uint64_t size_bytes = 0;
  std::uint64_t stored_bytes = 0;      // allocated on the partition
  FileTime modified, accessed, changed, created;
  std::optional<std::uint32_t> mode;   // permission bits, where the file system has them
  std::optional<std::uint32_t> owner, group;
  std::uint32_t links = 1;
  std::uint32_t dos_attributes = 0;    // FAT, exFAT and NTFS: the FILE_ATTRIBUTE_ bits
  bool compressed = false, sparse = false, encrypted = false;
  std::uint32_t reparse_tag = 0;       // NTFS
  std::uint64_t handle[2] = {};        // for the tree that made it
};

// The bytes of one stream of a file. One thread at a time; its tree must outlive it.
class FileContent {
 public:
  virtual ~FileContent() = default;
  virtual std::uint64_t size_bytes() const = 0;
  // All of `out`; holes read as zeros. A range past the end is Error{out_of_bounds}; what the drive cannot give is its error.
  virtual Result<void> read(std::uint64_t offset, MutableByteSpan out) = 0;
  // Bytes of the partition that hold the content, in any order; empty if it lies inside the file's own record.
  virtual Result<std::vector<Extent>> extents() = 0;
  // The next run at or after `offset` that is not a hole, as a range of the file; empty: only holes follow. The default says all is data.
  virtual Result<std::optional<Extent>> next_data(std::uint64_t offset);
};

// What some bytes of a partition belong to.
struct ByteOwner {
  enum class Kind { file, folder, structure, free_space };
  Kind kind = Kind::structure;
  std::string what;   // path of a file or folder ("/Users/ann/a.doc", a stream as "/a.doc:name"); else words: "the MFT"
  ExtentSet bytes;    // those of the asked ones that belong to it
  // What of it they are, if not its content or if that says more: "index", "MFT record", "attributes"; words for people.
  std::string part = {};
};

// The files of a recognised file system, read-only, without mounting it. Nothing read from the drive is trusted: loops, absurd sizes and
// numbers out of range are Error{corrupt}; they never crash it nor make it use much memory. One thread at a time; the drive is
// shared.
class FileTree {
 public:
  virtual ~FileTree() = default;
  virtual FsType type() const = 0;
  // What the user must know about all that is read from it (a journal that was not replayed); empty if nothing.
  virtual std::string warning() const { return {}; }
  virtual bool ignores_case() const = 0;
  // Two names mean the same file: as bytes, or as this file system folds case.
  virtual bool same_name(const std::string& a, const std::string& b) const = 0;
  virtual Result<FileNode> root() = 0;
  // Calls `visit` for each entry but "." and ".."; deleted ones and the volume label are none. It ends early if visit returns false.
  // What is damaged is told by the error at the end, after everything that could be read.
  using Visitor = std::function<bool(const FileNode&)>;
  // Only names that are wanted; of others nothing more than the name is read.
  struct NameFilter {
    std::function<bool(const std::string& name)> fits = {};  // empty: all are
    std::vector<std::string> names = {};  // what is looked for, if it can be said: a tree may look first where that should be
  };
  virtual Result<void> list(const FileNode& folder, const NameFilter& wanted, const Visitor& visit) = 0;
  Result<void> list(const FileNode& folder, const Visitor& visit) { return list(folder, {}, visit); }
  // Where on the partition a folder's names lie, so that folders can be listed in the order of the drive; empty if that is not known, or
  // in no place of their own. Those of `names` if they are few, else the beginning of all.
  virtual std::vector<Extent> names_of(const FileNode&, const std::vector<std::string>& /*names*/) { return {}; }
  // That about so many nodes all over it will be looked at: a tree may tell its drive of the place where all of them are described.
  virtual void will_need_nodes(std::uint64_t /*count*/) {}
  // `stream`: empty for the content of a file, the raw data of a reparse point or the target of a symbolic link.
  virtual Result<std::unique_ptr<FileContent>> open(const FileNode& file, const std::string& stream = {}) = 0;
  virtual Result<std::vector<NamedStream>> streams(const FileNode&) { return std::vector<NamedStream>{}; }
  // Where a symbolic link, or a reparse point that is one (or a junction), leads, as it stands there; empty if it is none.
  virtual Result<std::optional<std::string>> link_target(const FileNode&) { return std::optional<std::string>{}; }
  // Who owns the bytes: goes through the whole file system. Bytes that nobody claims are reported as what they are (free space, a
  // structure). What is damaged is passed over.
  virtual Result<std::vector<ByteOwner>> owners(const ExtentSet& bytes) = 0;
};

// Error{unsupported} naming what it is, if there are no files to be read from it.
Result<std::unique_ptr<FileTree>> open_file_tree(std::shared_ptr<Drive> partition);

// What has the name in a folder; one that is spelled like that goes before one that differs in case: NTFS may have both. Empty: nothing.
Result<std::optional<FileNode>> find_in(FileTree& tree, const FileNode& folder, const std::string& name);

// The node at a path: components separated by '/' (or '\' where the file system ignores case). Error{not_found} names the
// first component that is not there, Error{usage} one that is no folder. Links are not followed.
Result<FileNode> find_node(FileTree& tree, const std::string& path);

}  // namespace tintype
