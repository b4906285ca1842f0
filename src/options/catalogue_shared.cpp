// SPDX-License-Identifier: GPL-3.0-or-later
#include <array>

#include "options/catalogue.h"

namespace tintype::options {
namespace {

constexpr std::array kReboot = {
    Choice{1, "ask", "restart, with all messages"},
    Choice{0, "never", "never restart, nor ask"},
    Choice{2, "brief", "restart without asking; an error does not stop it"},
    Choice{4, "silent", "restart without any message; an error stops it"},
    Choice{8, "power-off", "switch off"},
};
constexpr ActionSet kWrites = actions(Action::backup, Action::restore, Action::copy);

// Manual tables 4, 6, 8, 10: what several actions have.
constexpr std::array kShared = {
    Option{.features = "B2 B26 V1", .slash = "pw", .gnu = "password", .kind = Kind::password,
           .actions = kImaging | kOpensImage | actions(Action::copy, Action::list, Action::salvage, Action::purge, Action::repair, Action::consolidate),
           .group = Group::image, .value_name = "TEXT",
           .help = "The image's password. Other users can see it in the list of processes: --password-file, "
                   "--password-fd, the variable TINTYPE_PASSWORD or the prompt keep it hidden.",
           .max = 128, .built = true},
    Option{.features = "B13 R14", .slash = "vb", .gnu = "byte-for-byte", .ini = "PostValidate", .actions = kWrites,
           .group = Group::checking,
           .help = "Afterwards compare every byte with its source. In a backup this validates the image too.",
           .ini_on = "2", .ini_on_copy = "1", .built = true},
    Option{.features = "B16 R15", .slash = "err", .gnu = "allow-errors", .ini = "AllowErrors", .actions = kWrites,
           .group = Group::checking,
           .help = "Go on after sectors that cannot be read (backup, copy) or written (restore, copy). They are "
                   "listed at the end and the exit status is 5.",
           .built = true},
    Option{.features = "B7 R20 V1", .slash = "mp", .gnu = "multi-pass", .ini = "MultiPass", .actions = kImaging,
           .group = Group::tuning,
           .help = "Two passes: a changes-only backup first finds what changed, then saves it; a restore and a validation of such an "
                   "image go through its chain image by image, oldest first, so that each is read in one go.",
           .built = true},
    Option{.features = "B15 R26 V1", .slash = "iobs", .gnu = "gentle-io", .ini = "IOBS", .actions = kImaging,
           .group = Group::tuning,
           .help = "Use small requests (64 KiB), one at a time, with pauses between them. Suits slow links, and leaves "
                   "room for others; the result is the same.",
           .built = true},
    Option{.features = "B8 R26 V1", .slash = "noej", .gnu = "no-eject", .ini = "NoEject", .actions = kImaging,
           .group = Group::discs, .help = "Never open the optical drive's tray."},
    Option{.features = "B8 R26 V1", .slash = "cdrs", .gnu = "cd-read-speed", .ini = "CDReadSpeed",
           .kind = Kind::integer, .actions = kImaging, .group = Group::discs, .value_name = "N",
           .help = "Read discs no faster than this multiple of CD speed (a DVD's 4x is 32).", .min = 1, .max = 1000},
    Option{.features = "B20 R26 V1", .slash = "log", .gnu = "save-log", .ini = "SaveLog",
           .actions = kImaging | actions(Action::copy, Action::salvage, Action::purge, Action::repair, Action::consolidate, Action::extract), .group = Group::reporting, .default_value = "1",
           .help = "Keep a log of the run; 0 keeps none.", .built = true},
    Option{.features = "B4 R26", .slash = "rb", .gnu = "reboot", .kind = Kind::choice, .actions = kWrites,
           .group = Group::system, .value_name = "N",
           .help = "Restart the computer afterwards. By default only asked when a restart is needed.",
           .choices = kReboot, .value_optional = true},
};

}  // namespace

std::span<const Option> shared_options() { return kShared; }

}  // namespace tintype::options
