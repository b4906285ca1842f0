// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#define FUSE_USE_VERSION 312
#include <fuse3/fuse_lowlevel.h>

#include <memory>
#include <mutex>
#include <vector>

#include "serve/linux/nodes.h"

namespace tintype {

// What the operations of one mount work on: the userdata of its session. Threads: any.
class FuseView {
 public:
  explicit FuseView(Shown shown) : shown_(std::move(shown)), nodes_(shown_), tree_locks_(shown_.trees.size()) {}

  const Shown& shown() const { return shown_; }
  ShownNodes& nodes() { return nodes_; }
  FileTree& tree(std::size_t index) const { return *shown_.trees[index].tree; }
  // Held while a tree, or a file of it, is used.
  std::mutex& lock_of(std::size_t tree) { return tree_locks_[tree]; }

 private:
  Shown shown_;
  ShownNodes nodes_;
  std::vector<std::mutex> tree_locks_;
};

const fuse_lowlevel_ops& fuse_operations();

// What the operations share.

// Nothing that is shown changes by itself, so the kernel may keep what it was told.
constexpr double kForever = 86400;
FuseView& view_of(fuse_req_t request);
int code_of(const Error& error);  // an errno
// A name that a folder may show: a hostile file system has others.
bool is_shown_name(const std::string& name);
fuse_entry_param entry_of(FuseView& view, std::uint64_t ino, const ShownNode& node);
void add_folder_operations(fuse_lowlevel_ops& ops);  // fuse_folders.cpp

}  // namespace tintype
