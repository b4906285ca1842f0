// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "serve/mount.h"

namespace tintype {

// What an inode number of the mount stands for. 1 is the root.
struct ShownNode {
  enum class Kind { root, drive, trees, file } kind = Kind::root;
  std::size_t index = 0;  // of the drive or tree
  FileNode file;          // Kind::file
};

// The inodes that the kernel knows, and their attributes. Thread safe; the trees are locked by their users.
class ShownNodes {
 public:
  explicit ShownNodes(const Shown& shown) : shown_(shown), uid_(::getuid()), gid_(::getgid()) {}

  std::optional<ShownNode> find(std::uint64_t ino);
  std::uint64_t drive_ino(std::size_t index) const { return 2 + index; }
  std::uint64_t trees_ino() const { return 2 + shown_.drives.size(); }
  // The number of a node of a tree, which the kernel has now one reference more to.
  std::uint64_t remember(std::size_t tree, const FileNode& file);
  void forget(std::uint64_t ino, std::uint64_t references);
  struct stat attributes(std::uint64_t ino, const ShownNode& node) const;

 private:
  struct Known {
    ShownNode node;
    std::uint64_t references = 0;
  };
  using Key = std::pair<std::size_t, std::uint64_t>;  // tree and id

  const Shown& shown_;
  const uid_t uid_;
  const gid_t gid_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Known> known_;
  std::map<Key, std::uint64_t> numbers_;
  std::uint64_t next_ = 1U << 20;
};

}  // namespace tintype
