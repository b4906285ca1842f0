// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "base/cancel.h"
#include "job/tree_walk.h"

namespace tintype {

// Nodes of a walk, kept in its order, so that the small files among them can be read in the order of the drive before all of them are
// made: a chunk of an image is decoded once for all the files in it, and the next ones meanwhile.
class ExtractBatch {
 public:
  struct Item {
    std::shared_ptr<const std::vector<FileNode>> parents;
    FileNode node;
    bool asked_for = false, by_name = false;
    std::unique_ptr<FileContent> content;  // of a file that is in memory; null: open it
    FoundNode found() const { return {*parents, node, asked_for, by_name}; }
  };

  void add(const FoundNode& found);
  bool full() const { return items_.size() >= kMostItems || bytes_ >= kMostBytes; }
  // Reads the small files that are `wanted`, of hard links to one file the first only. What cannot be read stays as it was added:
  // whoever opens it is told. Error{cancelled}.
  Result<void> load(FileTree& tree, Drive& partition, const std::function<bool(const Item& item)>& wanted, const CancelToken& cancel);
  // In the order of the walk; empty afterwards.
  std::vector<Item> take();

 private:
  static constexpr std::size_t kMostItems = 4096;
  static constexpr std::uint64_t kMostBytes = 32U << 20;  // of small files

  std::vector<Item> items_;
  std::uint64_t bytes_ = 0;
};

}  // namespace tintype
