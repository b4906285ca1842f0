// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/file_tree.h"

#include <fmt/format.h>

#include "base/text.h"
#include "fs/file_trees.h"

namespace tintype {

const char* to_string(NodeKind kind) {
  switch (kind) {
    case NodeKind::file: return "file";
    case NodeKind::folder: return "folder";
    case NodeKind::symlink: return "symlink";
    case NodeKind::reparse_point: return "reparse_point";
    case NodeKind::device: return "device";
    case NodeKind::fifo: return "fifo";
    case NodeKind::socket: return "socket";
  }
  return "unknown";
}

Result<std::optional<Extent>> FileContent::next_data(std::uint64_t offset) {
  if (offset >= size_bytes()) return std::nullopt;
  return Extent{offset, size_bytes() - offset};
}

Result<std::unique_ptr<FileTree>> open_file_tree(std::shared_ptr<Drive> partition) {
  if (begins_as_ntfs(*partition)) return open_ntfs_tree(std::move(partition));
  // In the order of open_file_system().
  for (const auto open : {open_exfat_tree, open_ext_tree, open_reiserfs_tree, open_fat_tree})
    if (std::unique_ptr<FileTree> tree = TRY(open(partition))) return tree;
  const std::unique_ptr<FileSystem> found = TRY(open_file_system(partition));
  if (found->info().type == FsType::ntfs) return open_ntfs_tree(std::move(partition));
  const std::string what = found->info().type == FsType::unknown ? "no file system that is known here"
                                                                 : fmt::format("{}, of which files cannot be listed", to_string(found->info().type));
  return fail(ErrorCode::unsupported, fmt::format("{} holds {}", printable(partition->info().path), what));
}

Result<std::optional<FileNode>> find_in(FileTree& tree, const FileNode& folder, const std::string& name) {
  std::optional<FileNode> found;
  const Result<void> listed = tree.list(
      folder, {.fits = [&](const std::string& each) { return each == name || (!found && tree.same_name(each, name)); }, .names = {name}},
      [&](const FileNode& each) {
        found = each;
        return each.name != name;
      });
  if (!found && !listed) return fail(listed.error());
  return found;
}

Result<FileNode> find_node(FileTree& tree, const std::string& path) {
  FileNode node = TRY(tree.root());
  std::string walked;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find_first_of(tree.ignores_case() ? "/\\" : "/", at), path.size());
    const std::string name = path.substr(at, end - at);
    at = end + 1;
    if (name.empty() || name == ".") continue;
    if (node.kind != NodeKind::folder)
      return fail(ErrorCode::usage, fmt::format("{} is a {}, not a folder", printable(walked), to_string(node.kind)));
    std::optional<FileNode> found = TRY(find_in(tree, node, name));
    walked += "/" + name;
    if (!found) return fail(ErrorCode::not_found, fmt::format("there is no {}", printable(walked)), "tintype ls shows what is there");
    node = std::move(*found);
  }
  return node;
}

}  // namespace tintype
