// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <deque>

#include "fs/file_tree.h"
#include "fs_probe_fuzz.h"

namespace tintype::fuzz {

using OpenTree = Result<std::unique_ptr<FileTree>> (*)(std::shared_ptr<Drive> partition);

inline void look_into(FileTree& tree, const FileNode& node, std::uint64_t partition_bytes) {
  (void)tree.link_target(node);
  if (node.kind != NodeKind::file && node.kind != NodeKind::symlink) return;
  const auto content = tree.open(node);
  if (!content) return;
  const std::uint64_t size = (*content)->size_bytes();
  Bytes bytes(static_cast<std::size_t>(std::min<std::uint64_t>(size, 8192)));
  (void)(*content)->read(0, bytes);
  if (size > 0) (void)(*content)->read(size - 1, MutableByteSpan(bytes).first(1));
  must(!(*content)->read(size, MutableByteSpan(bytes).first(std::min<std::size_t>(1, bytes.size()))) || bytes.empty(), "read behind the end");
  const auto data = (*content)->next_data(size / 2);
  if (data && *data) must((*data)->length > 0 && (*data)->start >= size / 2 && (*data)->end() <= size, "data outside the file");
  const auto extents = (*content)->extents();
  if (!extents) return;
  for (const Extent& extent : *extents) must(extent.length > 0 && fits(extent.start, extent.length, partition_bytes), "an extent outside the partition");
}

// Lists everything (as far as a cap), reads the beginning and end of each file, asks who owns some bytes and all bytes.
inline void run_tree(OpenTree open, const std::uint8_t* data, std::size_t size) {
  const std::uint64_t partition_bytes = std::max<std::uint64_t>(size, 1U << 20);
  auto memory = make_memory_drive(partition_bytes);
  if (size != 0) must(memory->write(0, {reinterpret_cast<const std::byte*>(data), size}).has_value(), "memory drive");
  const auto opened = open(std::make_shared<CountingDrive>(memory));
  if (!opened || *opened == nullptr) return;
  FileTree& tree = **opened;
  const auto root = tree.root();
  if (!root) return;
  std::deque<FileNode> folders = {*root};
  std::size_t left = 300;
  while (!folders.empty() && left > 0) {
    const FileNode folder = std::move(folders.front());
    folders.pop_front();
    (void)tree.list(folder, [&](const FileNode& node) {
      must(!node.name.empty(), "a node without a name");
      (void)tree.same_name(node.name, "Other");
      look_into(tree, node, partition_bytes);
      if (node.kind == NodeKind::folder) folders.push_back(node);
      return --left > 0;
    });
  }
  const ExtentSet some({{0, 5}, {partition_bytes / 3, 700}, {partition_bytes - 1, 100}}), all({{0, partition_bytes}});
  for (const ExtentSet* asked : {&some, &all}) {
    const auto owners = tree.owners(*asked);
    if (!owners) continue;
    for (const ByteOwner& owner : *owners) {
      must(!owner.bytes.empty() && !owner.what.empty(), "an owner of nothing");
      for (const Extent& extent : owner.bytes.items())
        must(extent.end() <= partition_bytes && asked->clipped(extent).total_bytes() == extent.length, "an owner of bytes not asked for");
    }
  }
}

}  // namespace tintype::fuzz
