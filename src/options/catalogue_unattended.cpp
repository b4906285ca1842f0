// SPDX-License-Identifier: GPL-3.0-or-later
#include <array>

#include "options/catalogue.h"

namespace tintype::options {
namespace {

constexpr ActionSet kAsks = actions(Action::none, Action::backup, Action::restore, Action::validate, Action::copy,
                                    Action::list, Action::reboot, Action::purge, Action::repair, Action::consolidate);

// Manual table 1: who answers questions. They act on the questions that later options raise, hence their
// place right after the action.
constexpr std::array kUnattended = {
    Option{.features = "G30", .slash = "un", .gnu = "unattended-no", .actions = kAsks, .group = Group::unattended,
           .help = "Answer No, Cancel and Abort by itself, and stop at the first question. Without a terminal this is "
                   "the default.",
           .built = true},
    Option{.features = "G30", .slash = "uy", .gnu = "unattended-yes", .actions = kAsks, .group = Group::unattended,
           .help = "Answer Yes, OK and Ignore by itself.", .built = true},
    Option{.features = "G30", .slash = "ui", .gnu = "unattended-ignore", .actions = kAsks,
           .group = Group::unattended, .help = "Answer Ignore by itself where Abort, Retry, Ignore is asked.",
           .built = true},
    Option{.features = "G30", .slash = "um", .gnu = "unattended-media", .actions = kAsks,
           .group = Group::unattended,
           .help = "End with an error when another medium or part file is asked for. Without it such a request is put "
                   "to the user even in an unattended run.",
           .built = true},
};

}  // namespace

std::span<const Option> unattended_options() { return kUnattended; }

}  // namespace tintype::options
