// SPDX-License-Identifier: GPL-3.0-or-later
// Listing folders for the kernel.
#include <cerrno>

#include "serve/linux/fuse_ops.h"

namespace tintype {
namespace {

using Node = ShownNode;
using Kind = ShownNode::Kind;

// The entries of an open folder, as they were when it was opened.
struct OpenFolder {
  struct Entry {
    std::string name;
    std::uint64_t ino = 0;  // 0: a file of the tree, which gets its number when it is told
    Node node;
  };
  std::vector<Entry> entries;
};

Result<void> fill(FuseView& view, const Node& folder, OpenFolder& out) {
  if (folder.kind == Kind::root) {
    for (std::size_t i = 0; i < view.shown().drives.size(); ++i)
      out.entries.push_back({view.shown().drives[i].name, view.nodes().drive_ino(i), {Kind::drive, i, {}}});
    if (!view.shown().trees.empty()) out.entries.push_back({"files", view.nodes().trees_ino(), {Kind::trees, 0, {}}});
    return {};
  }
  if (folder.kind == Kind::trees) {
    for (std::size_t i = 0; i < view.shown().trees.size(); ++i) {
      const std::lock_guard lock(view.lock_of(i));
      out.entries.push_back({view.shown().trees[i].name, 0, {Kind::file, i, TRY(view.tree(i).root())}});
    }
    return {};
  }
  const std::lock_guard lock(view.lock_of(folder.index));
  return view.tree(folder.index).list(folder.file, [&](const FileNode& each) {
    if (is_shown_name(each.name)) out.entries.push_back({each.name, 0, {Kind::file, folder.index, each}});
    return true;
  });
}

void do_opendir(fuse_req_t request, fuse_ino_t ino, fuse_file_info* info) {
  FuseView& view = view_of(request);
  const std::optional<Node> node = view.nodes().find(ino);
  if (!node) return void(fuse_reply_err(request, ENOENT));
  if (node->kind == Kind::drive || (node->kind == Kind::file && node->file.kind != NodeKind::folder))
    return void(fuse_reply_err(request, ENOTDIR));
  auto folder = std::make_unique<OpenFolder>();
  // Of a damaged folder what could be read is shown; one that gave nothing fails.
  if (const Result<void> filled = fill(view, *node, *folder); !filled && folder->entries.empty())
    return void(fuse_reply_err(request, code_of(filled.error())));
  info->fh = reinterpret_cast<std::uint64_t>(folder.get());
  if (fuse_reply_open(request, info) == 0) (void)folder.release();
}

void do_releasedir(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  delete reinterpret_cast<OpenFolder*>(info->fh);
  fuse_reply_err(request, 0);
}

void read_folder(fuse_req_t request, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info* info, bool plus) {
  FuseView& view = view_of(request);
  OpenFolder& folder = *reinterpret_cast<OpenFolder*>(info->fh);
  std::vector<char> out(size);
  std::size_t used = 0;
  for (auto next = static_cast<std::size_t>(offset);; ++next) {
    std::string name;
    fuse_entry_param entry{};
    bool counted = false;
    if (next < 2) {
      name = next == 0 ? "." : "..";
      entry.attr.st_ino = ino;
      entry.attr.st_mode = S_IFDIR;
    } else if (next - 2 < folder.entries.size()) {
      const OpenFolder::Entry& each = folder.entries[next - 2];
      name = each.name;
      counted = plus && each.ino == 0;
      const std::uint64_t number = each.ino != 0 ? each.ino : plus ? view.nodes().remember(each.node.index, each.node.file) : 1;
      entry = entry_of(view, number, each.node);
    } else {
      break;
    }
    const off_t after = static_cast<off_t>(next + 1);
    const std::size_t needed = plus ? fuse_add_direntry_plus(request, out.data() + used, size - used, name.c_str(), &entry, after)
                                    : fuse_add_direntry(request, out.data() + used, size - used, name.c_str(), &entry.attr, after);
    if (needed > size - used) {
      if (counted) view.nodes().forget(entry.ino, 1);
      break;
    }
    used += needed;
  }
  fuse_reply_buf(request, out.data(), used);
}

void do_readdir(fuse_req_t request, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info* info) {
  read_folder(request, ino, size, offset, info, false);
}

void do_readdirplus(fuse_req_t request, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info* info) {
  read_folder(request, ino, size, offset, info, true);
}

}  // namespace

void add_folder_operations(fuse_lowlevel_ops& ops) {
  ops.opendir = do_opendir;
  ops.releasedir = do_releasedir;
  ops.readdir = do_readdir;
  ops.readdirplus = do_readdirplus;
}

}  // namespace tintype
