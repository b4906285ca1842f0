// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/cancel.h"
#include "job/path_pattern.h"

namespace tintype {

// A node that a walk came to.
struct FoundNode {
  std::span<const FileNode> parents;  // from the root to the folder it lies in; empty for the root
  const FileNode& node;
  bool asked_for = false;             // a pattern means it; false: it lies below one that a pattern means
  bool by_name = false;               // by a path without wildcards
  std::string path() const;           // "/Users/ann/a.doc"
};

// One walk over a tree for any number of patterns. Every folder is read at most once, and only those that a pattern leads into; nothing
// is sorted, and memory depends on the depth and the patterns, not on the number of files (but for the ids of the folders seen). Folders that lead
// back into themselves, or stand in two places, are told as damage the second time. NTFS's own files ($MFT …) are visited only by name.
class TreeWalk {
 public:
  // `partition`: the drive that the tree reads, to be told what comes next; null: nobody is told.
  TreeWalk(FileTree& tree, std::vector<PathPattern> patterns, const CancelToken& cancel, Drive* partition = nullptr);

  // True: go on with what lies in this folder, all of which is visited too. An error ends the walk.
  using Visitor = std::function<Result<bool>(const FoundNode&)>;
  // A folder that could not be read, wholly or in part.
  using Damage = std::function<void(const std::string& path, const Error& error)>;
  Result<void> run(const Visitor& visit, const Damage& damage);

  // One sentence for each pattern that meant nothing: "there is no /Users/bob".
  std::vector<Error> unmatched() const;

 private:
  struct State {
    std::size_t pattern = 0;
    std::size_t next = 0;  // the component to be matched
    friend bool operator==(const State&, const State&) = default;
  };
  using States = std::vector<State>;
  struct Step {
    States states;
    bool asked_for = false, by_name = false;
    bool leads_on = false;  // a component without wildcards means it
  };
  struct Entry {
    FileNode node;
    Step step;
  };
  struct Reach {
    bool matched = false;
    std::size_t depth = 0;  // components that were found
    std::string stopped_by;  // what stands in the way: "is a symlink, not a folder"
  };

  // A folder to be looked into for plain names, and what of it matters, once that is known.
  struct Scouted {
    States states;
    std::vector<Entry> entries;
  };

  void add(States& states, State state) const;
  Step step(const States& states, const FileNode& node);
  bool is_metadata(const FileNode& node) const;
  bool worth_keeping(const Step& step, bool inside, const FileNode& node) const;
  bool all_plain(const States& states) const;
  std::vector<std::string> plain_names(const States& states) const;
  Result<void> scout(const Entry& root);
  Result<void> walk_folder(const States& states, bool inside);
  Result<std::vector<Entry>> next_batch(const States& states, bool inside, std::uint64_t& seen, bool& more);
  Result<void> visit_entry(Entry& entry, bool inside);

  void tell(const std::vector<Extent>& extents);

  FileTree& tree_;
  Drive* const partition_;
  std::vector<PathPattern> patterns_;
  const CancelToken& cancel_;
  const Visitor* visit_ = nullptr;
  const Damage* damage_ = nullptr;
  std::vector<Reach> reach_;
  std::vector<FileNode> parents_;
  std::unordered_set<std::uint64_t> folders_;
  std::unordered_map<std::uint64_t, Scouted> scouted_;  // by the folder's id
};

std::string path_of(std::span<const FileNode> parents, const FileNode& node);

}  // namespace tintype
