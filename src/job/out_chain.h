// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fs/file_tree.h"
#include "store/out_folder.h"

namespace tintype {

// The folders that lie open between the outermost one and the file being written, as many as the path has. A folder that it made gets
// its times and permissions when it is left, so that they are not changed by what is put in it.
class OutChain {
 public:
  using FactsOf = std::function<OutFacts(const FileNode&)>;
  using Problem = std::function<void(const Error&)>;
  OutChain(OutFolder& outermost, FactsOf facts_of, Problem problem)
      : outermost_(outermost), facts_of_(std::move(facts_of)), problem_(std::move(problem)) {}

  // The folder that has these folders above it and itself last: made or entered. parents[0] is the tree's root, which the outermost folder stands for.
  Result<OutFolder*> enter(std::span<const FileNode> parents);
  void leave_all() { leave_to(0); }
  std::uint64_t made() const { return made_; }

 private:
  struct Level {
    FileNode node;
    std::unique_ptr<OutFolder> folder;
    bool made = false;
  };
  void leave_to(std::size_t depth);

  OutFolder& outermost_;
  FactsOf facts_of_;
  Problem problem_;
  std::vector<Level> levels_;
  std::uint64_t made_ = 0;
};

}  // namespace tintype
