// SPDX-License-Identifier: GPL-3.0-or-later
// All patterns advance together, as the states of one automaton: a folder is read once whatever asks for it, and a file that two
// patterns mean is visited once.
#include "job/tree_walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"

namespace tintype {
namespace {

constexpr std::size_t kMaxDepth = 250;
constexpr std::size_t kBatch = 65536;  // entries of one folder in memory at a time
constexpr std::size_t kAhead = 16;     // folders that the drive is told of before they are listed

}  // namespace

std::string path_of(std::span<const FileNode> parents, const FileNode& node) {
  if (parents.empty()) return "/";
  std::string path;
  for (const FileNode& parent : parents.subspan(1)) path += "/" + parent.name;
  return path + "/" + node.name;
}

std::string FoundNode::path() const { return path_of(parents, node); }

TreeWalk::TreeWalk(FileTree& tree, std::vector<PathPattern> patterns, const CancelToken& cancel, Drive* partition)
    : tree_(tree), partition_(partition), patterns_(std::move(patterns)), cancel_(cancel), reach_(patterns_.size()) {}

Result<void> TreeWalk::run(const Visitor& visit, const Damage& damage) {
  visit_ = &visit;
  damage_ = &damage;
  Entry root{TRY(tree_.root()), {}};
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    if (!patterns_[i].components.empty()) {
      add(root.step.states, {i, 0});
      continue;
    }
    root.step.asked_for = root.step.by_name = reach_[i].matched = true;
  }
  if (!root.step.asked_for) TRY(scout(root));
  return visit_entry(root, false);
}

// "**" also stands for no folder at all.
void TreeWalk::add(States& states, State state) const {
  if (std::ranges::find(states, state) != states.end()) return;
  states.push_back(state);
  const auto& components = patterns_[state.pattern].components;
  if (components[state.next].any_depth && state.next + 1 < components.size()) add(states, {state.pattern, state.next + 1});
}

TreeWalk::Step TreeWalk::step(const States& states, const FileNode& node) {
  Step out;
  for (const State& state : states) {
    const PathPattern& pattern = patterns_[state.pattern];
    const PathPattern::Component& component = pattern.components[state.next];
    const bool last = state.next + 1 == pattern.components.size();
    Reach& reach = reach_[state.pattern];
    if (component.any_depth) {
      if (last) out.asked_for = reach.matched = true;
      else if (node.kind == NodeKind::folder) add(out.states, state);
    } else if (name_fits(component, node.name, tree_)) {
      reach.depth = std::max(reach.depth, state.next + 1);
      if (last) {
        out.asked_for = reach.matched = true;
        out.by_name = out.by_name || !pattern.has_wildcards();
      } else if (node.kind == NodeKind::folder) {
        out.leads_on = out.leads_on || !component.wild;
        add(out.states, {state.pattern, state.next + 1});
      } else {
        reach.stopped_by = fmt::format("is a {}, not a folder", to_string(node.kind));
      }
    }
  }
  return out;
}

// The first 24 records of an MFT are the file system's own; those among them that have a name lie in the root.
bool TreeWalk::is_metadata(const FileNode& node) const {
  constexpr std::uint64_t kRecordBits = (std::uint64_t{1} << 48) - 1;
  return tree_.type() == FsType::ntfs && parents_.size() == 1 && (node.id & kRecordBits) < 24 && node.name.starts_with('$');
}

bool TreeWalk::worth_keeping(const Step& step, bool inside, const FileNode& node) const {
  if (is_metadata(node) && !step.by_name && !step.leads_on) return false;
  return inside || step.asked_for || (node.kind == NodeKind::folder && !step.states.empty());
}

// The next entries of the last folder that matter. `seen`: how many entries earlier batches went over.
Result<std::vector<TreeWalk::Entry>> TreeWalk::next_batch(const States& states, bool inside, std::uint64_t& seen, bool& more) {
  bool names_only = !inside;
  // When all are found, spelled like that, the rest of the folder need not be read. NTFS can hold "x" and "X" side by side, where
  // one that only case tells apart does not stand for the other.
  std::set<std::string> missing;
  for (const State& state : states) {
    const PathPattern::Component& component = patterns_[state.pattern].components[state.next];
    names_only = names_only && !component.wild;
    missing.insert(component.name);
  }
  std::vector<Entry> batch;
  std::uint64_t at = 0;
  more = false;
  FileTree::NameFilter wanted;
  if (!inside)
    wanted.fits = [&](const std::string& name) {
      return std::ranges::any_of(states, [&](const State& state) {
        const PathPattern::Component& component = patterns_[state.pattern].components[state.next];
        return component.any_depth || name_fits(component, name, tree_);
      });
    };
  if (names_only) wanted.names = plain_names(states);
  const Result<void> listed = tree_.list(parents_.back(), wanted, [&](const FileNode& node) {
    if (at++ < seen) return true;
    if (cancel_.cancelled()) return false;
    Entry entry{node, step(states, node)};
    if (!worth_keeping(entry.step, inside, node)) return true;
    batch.push_back(std::move(entry));
    missing.erase(node.name);
    if (names_only && missing.empty()) return false;
    more = batch.size() == kBatch;
    return !more;
  });
  seen = at;
  TRY(cancel_.check());
  if (!listed) (*damage_)(path_of(std::span(parents_).first(parents_.size() - 1), parents_.back()), listed.error());
  return batch;
}

void TreeWalk::tell(const std::vector<Extent>& extents) {
  if (partition_ == nullptr) return;
  for (const Extent& extent : extents) partition_->will_need(extent.start, extent.length);
}

bool TreeWalk::all_plain(const States& states) const {
  return !states.empty() && std::ranges::none_of(states, [&](const State& state) {
    const PathPattern::Component& component = patterns_[state.pattern].components[state.next];
    return component.wild || component.any_depth;
  });
}

std::vector<std::string> TreeWalk::plain_names(const States& states) const {
  std::vector<std::string> names;
  for (const State& state : states) names.push_back(patterns_[state.pattern].components[state.next].name);
  return names;
}

// The folders on the way to what is named are read beforehand, up and up the drive as its arm would go, so that it can be told of many at
// once; going down path after path, each would have to wait for the one above it, and chunks of an image be decoded again and again.
Result<void> TreeWalk::scout(const Entry& root) {
  struct Folder {
    std::vector<FileNode> parents;  // and itself
    States states;
    std::vector<Extent> names;
  };
  tree_.will_need_nodes(patterns_.size());
  std::multimap<std::uint64_t, Folder> waiting;  // by where on the drive their names begin
  const auto add = [&](std::vector<FileNode> parents, const Entry& entry) {
    if (!all_plain(entry.step.states) || parents.size() >= kMaxDepth) return;
    parents.push_back(entry.node);
    std::vector<Extent> names = tree_.names_of(entry.node, plain_names(entry.step.states));
    const std::uint64_t position = names.empty() ? 0 : names.front().start;
    waiting.emplace(position, Folder{std::move(parents), entry.step.states, std::move(names)});
  };
  add({}, root);
  for (std::uint64_t at = 0; !waiting.empty();) {
    auto next = waiting.lower_bound(at);
    if (next == waiting.end()) next = waiting.begin();
    std::size_t told = 0;
    for (auto ahead = next; ahead != waiting.end() && told < kAhead; ++ahead, ++told) tell(ahead->second.names);
    at = next->first;
    const Folder folder = std::move(waiting.extract(next).mapped());
    parents_ = folder.parents;
    std::uint64_t seen = 0;
    bool more = false;
    std::vector<Entry> entries = TRY(next_batch(folder.states, false, seen, more));
    for (const Entry& entry : entries)
      if (entry.node.kind == NodeKind::folder && !entry.step.asked_for) add(folder.parents, entry);
    if (!more) scouted_.try_emplace(folder.parents.back().id, Scouted{folder.states, std::move(entries)});
  }
  parents_.clear();
  return {};
}

Result<void> TreeWalk::walk_folder(const States& states, bool inside) {
  std::uint64_t seen = 0;
  const auto known = scouted_.find(parents_.back().id);
  const bool scouted = !inside && known != scouted_.end() && known->second.states == states;
  for (bool more = true; more;) {
    std::vector<Entry> batch;
    if (scouted) {
      batch = std::move(scouted_.extract(known).mapped().entries);
      more = false;
    } else {
      batch = TRY(next_batch(states, inside, seen, more));
    }
    std::size_t told = scouted ? batch.size() : 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      for (; told < std::min(batch.size(), i + kAhead); ++told)
        if (batch[told].node.kind == NodeKind::folder) tell(tree_.names_of(batch[told].node, {}));
      TRY(visit_entry(batch[i], inside));
    }
  }
  return {};
}

Result<void> TreeWalk::visit_entry(Entry& entry, bool inside) {
  TRY(cancel_.check());
  bool below = false;
  if (inside || entry.step.asked_for)
    below = TRY((*visit_)(FoundNode{parents_, entry.node, entry.step.asked_for, entry.step.by_name}));
  if (entry.node.kind != NodeKind::folder || (!below && entry.step.states.empty())) return {};
  const auto tell = [&](const char* what) {
    const std::string path = path_of(parents_, entry.node);
    (*damage_)(path, make_error(ErrorCode::corrupt, fmt::format("{} {}", printable(path), what)));
  };
  if (parents_.size() >= kMaxDepth) {
    tell("lies too deep; what is in it is left out");
    return {};
  }
  if (!folders_.insert(entry.node.id).second) {
    tell("leads to a folder that stands elsewhere too; what is in it is left out here");
    return {};
  }
  parents_.push_back(std::move(entry.node));
  const Result<void> walked = walk_folder(entry.step.states, below);
  parents_.pop_back();
  return walked;
}

std::vector<Error> TreeWalk::unmatched() const {
  std::vector<Error> errors;
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    const PathPattern& pattern = patterns_[i];
    const Reach& reach = reach_[i];
    if (reach.matched) continue;
    std::string path;
    for (std::size_t c = 0; c < std::min(pattern.components.size(), reach.depth + (reach.stopped_by.empty() ? 1U : 0U)); ++c)
      path += "/" + pattern.components[c].text;
    if (!reach.stopped_by.empty())
      errors.push_back(make_error(ErrorCode::not_found, fmt::format("{}: {} {}", printable(pattern.text), printable(path), reach.stopped_by)));
    else if (pattern.has_wildcards())
      errors.push_back(make_error(ErrorCode::not_found, fmt::format("nothing is called {}", printable(pattern.text))));
    else
      errors.push_back(make_error(ErrorCode::not_found, fmt::format("there is no {}", printable(path)), "`tintype ls` shows what is there"));
  }
  return errors;
}

}  // namespace tintype
