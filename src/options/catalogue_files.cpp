// SPDX-License-Identifier: GPL-3.0-or-later
#include <array>

#include "options/catalogue.h"

namespace tintype::options {
namespace {

constexpr ActionSet kLooks = actions(Action::ls, Action::extract);
constexpr ActionSet kExtract = bit(Action::extract);

constexpr std::array kStreams = {
    Choice{0, "none", "leave them out, the default"},
    Choice{1, "files", "as files of their own, called NAME:STREAM"},
    Choice{2, "xattrs", "as extended attributes user.STREAM where the target takes them, else as files"},
};

// Looking into an image: what ls and extract have.
constexpr std::array kFiles = {
    Option{.features = "P6", .slash = "", .gnu = "path", .kind = Kind::text, .actions = kLooks, .group = Group::what, .value_name = "PATH",
           .help = "A file or folder inside the partition, from its root. '*' stands for any characters of a name, '?' for one, [a-z] "
                   "for one of a set, and ** for any number of folders; quote them from the shell. Case does not count where the file "
                   "system ignores it. There \\ separates too; elsewhere it takes the meaning from the character behind it.",
           .max = 4096, .repeatable = true, .built = true},
    Option{.features = "P6", .slash = "", .gnu = "recursive", .actions = bit(Action::ls), .group = Group::what,
           .help = "Also list all that lies in the folders.", .letter = 'R', .built = true},
    Option{.features = "P6", .slash = "", .gnu = "long", .actions = bit(Action::ls), .group = Group::what,
           .help = "Show permissions, owner, links, the space taken, and named streams too.", .letter = 'l', .built = true},
    Option{.features = "P6", .slash = "", .gnu = "skip-existing", .actions = kExtract, .group = Group::what,
           .help = "Files that are in the target already stay as they are, and that is no failure.", .built = true},
    Option{.features = "P6", .slash = "", .gnu = "owner", .actions = kExtract, .group = Group::what, .default_value = "1",
           .help = "Give files to their owner by number, where the file system has owners and root extracts.", .built = true},
    Option{.features = "P6", .slash = "", .gnu = "special-bits", .actions = kExtract, .group = Group::what,
           .help = "Keep the set-user-ID, set-group-ID and sticky bits, when root extracts.", .built = true},
    Option{.features = "P6", .slash = "", .gnu = "streams", .kind = Kind::choice, .actions = kExtract, .group = Group::what,
           .value_name = "HOW", .default_value = "none", .help = "What to do with the named streams of NTFS files.", .choices = kStreams,
           .built = true},
};

}  // namespace

std::span<const Option> looking_options() { return kFiles; }

}  // namespace tintype::options
