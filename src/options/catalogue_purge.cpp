// SPDX-License-Identifier: GPL-3.0-or-later
#include <array>

#include "options/catalogue.h"

namespace tintype::options {
namespace {

constexpr ActionSet kPurge = bit(Action::purge);
constexpr std::uint64_t kMostKept = 1000000;

// What the action purge works on, and what it keeps. The rules mean what users of other backup programs expect.
constexpr std::array kPurgeOptions = {
    Option{.features = "B19", .slash = "", .gnu = "folder", .kind = Kind::path, .actions = kPurge, .group = Group::what,
           .value_name = "FOLDER", .help = "The folder whose images are sorted out; those in folders below it are not.",
           .built = true},
    Option{.features = "B19", .slash = "", .gnu = "keep-last", .kind = Kind::integer, .actions = kPurge,
           .group = Group::what, .value_name = "N", .help = "Keep the newest N images of each source.", .max = kMostKept,
           .built = true},
    Option{.features = "B19", .slash = "", .gnu = "keep-daily", .kind = Kind::integer, .actions = kPurge,
           .group = Group::what, .value_name = "N",
           .help = "Keep the newest image of each of the last N days that have one.", .max = kMostKept, .built = true},
    Option{.features = "B19", .slash = "", .gnu = "keep-weekly", .kind = Kind::integer, .actions = kPurge,
           .group = Group::what, .value_name = "N",
           .help = "Keep the newest image of each of the last N weeks that have one.", .max = kMostKept, .built = true},
    Option{.features = "B19", .slash = "", .gnu = "keep-monthly", .kind = Kind::integer, .actions = kPurge,
           .group = Group::what, .value_name = "N",
           .help = "Keep the newest image of each of the last N months that have one.", .max = kMostKept, .built = true},
    Option{.features = "B19", .slash = "", .gnu = "keep-yearly", .kind = Kind::integer, .actions = kPurge,
           .group = Group::what, .value_name = "N",
           .help = "Keep the newest image of each of the last N years that have one.", .max = kMostKept, .built = true},
    Option{.features = "B19", .slash = "", .gnu = "keep-within", .kind = Kind::text, .actions = kPurge,
           .group = Group::what, .value_name = "TIME",
           .help = "Keep every image that is at most so much older than the newest one of its source: 30d, 2w, 1y6m (m are "
                   "months), 12h.",
           .max = 64, .built = true},
};

}  // namespace

std::span<const Option> purge_options() { return kPurgeOptions; }

}  // namespace tintype::options
