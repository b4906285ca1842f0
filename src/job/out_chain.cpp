// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/out_chain.h"

namespace tintype {

Result<OutFolder*> OutChain::enter(std::span<const FileNode> parents) {
  const std::span<const FileNode> wanted = parents.subspan(1);
  std::size_t same = 0;
  while (same < wanted.size() && same < levels_.size() && levels_[same].node.id == wanted[same].id && levels_[same].node.name == wanted[same].name) ++same;
  leave_to(same);
  for (std::size_t i = same; i < wanted.size(); ++i) {
    OutFolder& above = levels_.empty() ? outermost_ : *levels_.back().folder;
    OutFolder::Entered entered = TRY(above.make_folder(wanted[i].name, wanted[i].mode.has_value()));
    made_ += entered.made ? 1 : 0;
    levels_.push_back({wanted[i], std::move(entered.folder), entered.made});
  }
  return levels_.empty() ? &outermost_ : levels_.back().folder.get();
}

void OutChain::leave_to(std::size_t depth) {
  while (levels_.size() > depth) {
    const Level& level = levels_.back();
    if (level.made)
      if (const Result<void> set = level.folder->set_facts(facts_of_(level.node)); !set) problem_(set.error());
    levels_.pop_back();
  }
}

}  // namespace tintype
