// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <map>
#include <string>

#include "base/result.h"

namespace tintype {

// Names that stand for paths of images across runs, kept for each user in a small JSON file: {"lastfull": "/mnt/bk/pc.tti"}.
using SavedNames = std::map<std::string, std::string>;

// $XDG_STATE_HOME/tintype/names.json, else ~/.local/state/tintype/names.json. Error{not_found} if there is no home folder.
Result<std::string> saved_names_path();

// None if there is no such file. Error{corrupt} if it holds anything but names and paths, or more than 1 MiB.
Result<SavedNames> load_saved_names(const std::string& path);

// Adds a name or changes what it stands for; others stay, also those that another process is adding now. The file is replaced
// by one rename and belongs to its owner alone (0600). A file that cannot be understood is left as it is: Error{corrupt}.
Result<void> save_name(const std::string& path, const std::string& name, const std::string& value);

}  // namespace tintype
