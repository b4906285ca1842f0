// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "options/option.h"

namespace tintype::options {

// Every option, in the order of help. Built once, then immutable; pointers into it stay valid.
std::span<const Option> catalogue();

// By GNU name (the key in code). Null if there is none.
const Option* find_option(std::string_view gnu);
// The same for a name written in code: stops the program if it is misspelt.
const Option& option(std::string_view gnu);

// What `/name` means for an action: the slash name, else the GNU name, ignoring case. Null if the action has none.
const Option* find_slash(Action action, std::string_view name);
// What `--name` means for an action: exact, else the only one that begins so. Null if none or several.
const Option* find_gnu(Action action, std::string_view name);

// The options of an action, in the order of help.
std::vector<const Option*> options_of(Action action);

// The parts of the catalogue, one a file; in catalogue_<name>.cpp.
std::span<const Option> global_options();
std::span<const Option> menu_options();
std::span<const Option> unattended_options();
std::span<const Option> point_in_time_options();
std::span<const Option> main_options();
std::span<const Option> backup_options();
std::span<const Option> restore_options();
std::span<const Option> geometry_options();
std::span<const Option> shared_options();
std::span<const Option> beyond_options();
std::span<const Option> purge_options();
std::span<const Option> looking_options();

}  // namespace tintype::options
