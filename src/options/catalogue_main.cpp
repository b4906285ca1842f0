// SPDX-License-Identifier: GPL-3.0-or-later
#include <array>

#include "options/catalogue.h"

namespace tintype::options {
namespace {

constexpr ActionSet kReadsDrive = actions(Action::backup, Action::list);
constexpr ActionSet kWithChain = kImaging | actions(Action::list, Action::consolidate, Action::salvage) | kOpensImage;
constexpr ActionSet kWithFile = kWithChain | bit(Action::repair);

// Manual tables 3, 5, 7, 9 and the text on listing: what an action works on.
constexpr std::array kMain = {
    Option{.features = "B1 N1 N2 N3 N4 N5 N6 N7 A5", .slash = "d", .gnu = "drive", .kind = Kind::drive,
           .actions = kReadsDrive | bit(Action::restore), .group = Group::what, .value_name = "DRIVE[@ID]",
           .help = "The drive, or the partition of it after '@': a number shown by list (0@1, 0@0x301), a device or "
                   "image file (/dev/sdb, disk.raw@2), to read from also an image of partclone or a folder of Clonezilla (DIR/sda), "
                   "#signature, ?label or ?/mount/point, v3 for a virtual drive. "
                   "Repeat it, or put commas after '@', for several partitions of one drive.",
           .repeatable = true, .built = true},
    Option{.features = "B1 N8 N9 R1 V1 A5", .slash = "f", .gnu = "file", .kind = Kind::path, .actions = kWithFile,
           .group = Group::what, .value_name = "IMAGE",
           .help = "The image: a path, or DRIVE@ID:\\path for one on a partition that is not mounted (written: NTFS, FAT, ext). The "
                   "extension may be left out. A backup into a folder finds a name by itself.",
           .built = true},
    Option{.features = "B1 R1 V1", .slash = "base", .gnu = "base", .kind = Kind::path, .actions = kWithChain | bit(Action::copy),
           .group = Group::what, .value_name = "IMAGE",
           .help = "The image that a changes-only image builds on. In a backup only what changed since then is saved, and the drive is "
                   "found by itself. A consolidation merges what comes after it. Elsewhere it is needed only if the image does not lie "
                   "beside its base; repeat it for a chain whose images lie in several folders.",
           .repeatable = true, .built = true},
    Option{.features = "X1 X5 X3", .slash = "to", .gnu = "to", .kind = Kind::path,
           .actions = actions(Action::salvage, Action::consolidate, Action::mount, Action::extract, Action::convert),
           .group = Group::what, .value_name = "PLACE",
           .help = "Where the result goes. Salvage: a folder that is empty or not there yet. Consolidate: the image to write, none of those "
                   "that it is made of. Mount: an empty folder. Extract: the folder to put files in. Convert: the virtual drive to write.",
           .built = true},
    Option{.features = "A4 R1", .slash = "sd", .gnu = "source-drive", .kind = Kind::drive,
           .actions = bit(Action::copy), .group = Group::what, .value_name = "DRIVE[@ID]",
           .help = "The drive or partition to copy from, named as in --drive; also an image (pc.tti, pc.tti@2).", .built = true},
    Option{.features = "A4 R1", .slash = "td", .gnu = "target-drive", .kind = Kind::drive,
           .actions = bit(Action::copy), .group = Group::what, .value_name = "DRIVE[@ID]",
           .help = "The drive or partition to copy to, named as in --drive. A path that does not exist becomes a raw file.", .built = true},
    Option{.features = "R4", .slash = "sp", .gnu = "source-partition", .kind = Kind::partition,
           .actions = bit(Action::restore), .group = Group::what, .value_name = "ID",
           .help = "Take only this partition out of the image; its id is shown by list --file.", .built = true},
    Option{.features = "A5", .slash = "fs", .gnu = "free-space", .actions = bit(Action::list), .group = Group::what,
           .help = "Show the used and free space of each partition too.", .built = true},
    Option{.features = "A5", .slash = "opt", .gnu = "optical", .actions = bit(Action::list), .group = Group::what,
           .help = "List the optical drives."},
};

}  // namespace

std::span<const Option> main_options() { return kMain; }

}  // namespace tintype::options
