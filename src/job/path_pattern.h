// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "fs/file_tree.h"

namespace tintype {

// A path inside a file system as a person types it: components between '/' (and '\' where the file system ignores case), in which
// '*' stands for any characters of a name, '?' for one, [a-z] and [!a-z] for one of a set, and '**' as a whole component for any
// number of folders. Elsewhere '\' takes the meaning from the character behind it. A name that is typed exactly as it stands there
// is meant even if it holds such characters.
struct PathPattern {
  struct Component {
    std::string text;        // as typed
    std::string name;        // the name if it stands for itself
    bool wild = false;
    bool any_depth = false;  // '**'
  };
  std::string text;                   // as typed
  std::vector<Component> components;  // empty: the root
  bool has_wildcards() const;
};

// Error{usage} for "..", which has no meaning here, and for more than 4096 bytes or 256 components.
Result<PathPattern> parse_path_pattern(const std::string& text, const FileTree& tree);

// Whether a name of the tree fits a component that is not '**'.
bool name_fits(const PathPattern::Component& component, const std::string& name, const FileTree& tree);

}  // namespace tintype
