// SPDX-License-Identifier: GPL-3.0-or-later
#include "serve/linux/nodes.h"

#include <unistd.h>

namespace tintype {
namespace {

timespec time_of(const FileTime& time, std::chrono::sys_seconds otherwise) {
  if (!time) return {static_cast<time_t>(otherwise.time_since_epoch().count()), 0};
  std::int64_t seconds = *time / 1'000'000'000, rest = *time % 1'000'000'000;
  if (rest < 0) {
    --seconds;
    rest += 1'000'000'000;
  }
  return {static_cast<time_t>(seconds), static_cast<long>(rest)};
}

mode_t type_of(NodeKind kind) {
  switch (kind) {
    case NodeKind::folder: return S_IFDIR;
    case NodeKind::symlink: return S_IFLNK;
    case NodeKind::fifo: return S_IFIFO;
    case NodeKind::socket: return S_IFSOCK;
    // A device of the machine that the files are of means nothing here.
    case NodeKind::device:
    case NodeKind::file:
    case NodeKind::reparse_point: return S_IFREG;
  }
  return S_IFREG;
}

}  // namespace

std::optional<ShownNode> ShownNodes::find(std::uint64_t ino) {
  if (ino == 1) return ShownNode{};
  if (ino == trees_ino() && !shown_.trees.empty()) return ShownNode{ShownNode::Kind::trees, 0, {}};
  if (ino >= 2 && ino < trees_ino()) return ShownNode{ShownNode::Kind::drive, static_cast<std::size_t>(ino - 2), {}};
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(ino);
  if (found == known_.end()) return std::nullopt;
  return found->second.node;
}

std::uint64_t ShownNodes::remember(std::size_t tree, const FileNode& file) {
  const std::lock_guard lock(mutex_);
  const auto [number, added] = numbers_.try_emplace({tree, file.id}, next_);
  if (added) known_.emplace(next_++, Known{{ShownNode::Kind::file, tree, file}});
  ++known_[number->second].references;
  return number->second;
}

void ShownNodes::forget(std::uint64_t ino, std::uint64_t references) {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(ino);
  if (found == known_.end()) return;
  found->second.references -= std::min(references, found->second.references);
  if (found->second.references > 0) return;
  numbers_.erase({found->second.node.index, found->second.node.file.id});
  known_.erase(found);
}

struct stat ShownNodes::attributes(std::uint64_t ino, const ShownNode& node) const {
  struct stat out{};
  out.st_ino = ino;
  out.st_uid = uid_;
  out.st_gid = gid_;
  out.st_nlink = 1;
  out.st_blksize = 4096;
  out.st_mtim = out.st_atim = out.st_ctim = time_of({}, shown_.time);
  if (node.kind == ShownNode::Kind::drive) {
    const ShownDrive& drive = shown_.drives[node.index];
    out.st_mode = static_cast<mode_t>(S_IFREG | (drive.writable ? 0600 : 0400) | (shown_.allow_other ? 0044 : 0));
    out.st_size = static_cast<off_t>(drive.drive->size_bytes());
    out.st_blocks = out.st_size / 512;
    out.st_blksize = 1 << 20;
    return out;
  }
  if (node.kind != ShownNode::Kind::file) {
    out.st_mode = S_IFDIR | 0555;
    out.st_nlink = 2;
    return out;
  }
  const FileNode& file = node.file;
  const mode_t type = type_of(file.kind);
  // Neither set-id bits nor write permission: it is somebody else's system, and a read-only one.
  out.st_mode = type | static_cast<mode_t>(file.mode.value_or(type == S_IFDIR ? 0555 : type == S_IFLNK ? 0777 : 0444) & 0777);
  if (file.mode) {
    out.st_uid = file.owner.value_or(uid_);
    out.st_gid = file.group.value_or(gid_);
  }
  out.st_nlink = std::max<std::uint32_t>(file.links, 1);
  out.st_size = type == S_IFDIR ? 4096 : static_cast<off_t>(std::min<std::uint64_t>(file.size_bytes, INT64_MAX));
  out.st_blocks = static_cast<blkcnt_t>(std::min<std::uint64_t>(file.stored_bytes, INT64_MAX) / 512);
  out.st_mtim = time_of(file.modified, shown_.time);
  out.st_atim = time_of(file.accessed ? file.accessed : file.modified, shown_.time);
  out.st_ctim = time_of(file.changed ? file.changed : file.modified, shown_.time);
  return out;
}

}  // namespace tintype
