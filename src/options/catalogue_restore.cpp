// SPDX-License-Identifier: GPL-3.0-or-later
#include <array>

#include "options/catalogue.h"

namespace tintype::options {
namespace {

constexpr ActionSet kRestore = bit(Action::restore);
constexpr ActionSet kPlaces = kRestore | bit(Action::copy);

constexpr std::array kNotify = {
    Choice{0, "each", "as each partition is done, the default"},
    Choice{1, "never", "never: restart before using the drive"},
    Choice{2, "last", "once, after the last partition"},
};

// Manual tables 6 and 10: what restore and copy do with the target.
constexpr std::array kRestoreOptions = {
    Option{.features = "R14", .slash = "v", .gnu = "pre-validate", .ini = "PreValidate", .actions = kRestore,
           .group = Group::checking, .help = "Validate the image before anything is overwritten.", .built = true},
    Option{.features = "R2", .slash = "o", .gnu = "overwrite", .actions = kPlaces | bit(Action::extract), .group = Group::unattended,
           .help = "Overwrite the target without asking. Extract: replace files that are there; folders are never replaced.", .built = true},
    Option{.features = "R3", .slash = "clr", .gnu = "clear", .actions = kPlaces, .group = Group::placement,
           .help = "Clear the target's partition tables (MBR, extended, both GPT copies) first."},
    Option{.features = "R13", .slash = "m", .gnu = "first-fit", .ini = "FirstFit", .actions = kPlaces,
           .group = Group::placement,
           .help = "Put the partition in the first free space of the target drive that is large enough.",
           .built = true},
    Option{.features = "R9", .slash = "e", .gnu = "use-same-mbr-entry", .ini = "UseSameMBREntry",
           .actions = kPlaces, .group = Group::placement,
           .help = "Give the partition the slot of the partition table that it had on its source; the entry found "
                   "there moves elsewhere."},
    Option{.features = "R9", .slash = "ms", .gnu = "mbr-slot", .kind = Kind::integer, .actions = kPlaces,
           .group = Group::placement, .value_name = "0..3",
           .help = "Give the partition this slot of the partition table; the entry found there moves elsewhere.",
           .max = 3},
    Option{.features = "R10", .slash = "gpt", .gnu = "gpt", .actions = kPlaces, .group = Group::placement,
           .help = "Create a GPT on the target. Restoring the first track overrides this."},
    Option{.features = "R10", .slash = "nomsr", .gnu = "no-msr", .actions = kPlaces, .group = Group::placement,
           .help = "With --gpt: create no Microsoft reserved partition."},
    Option{.features = "R12", .slash = "stt", .gnu = "scale", .ini = "Scale", .actions = kPlaces,
           .group = Group::placement,
           .help = "Resize each partition in proportion to the target drive, keeping the free space at its end."},
    Option{.features = "R12", .slash = "x", .gnu = "expand", .ini = "Expand", .actions = kPlaces,
           .group = Group::placement,
           .help = "Grow the partition, or all partitions of a drive in proportion, to fill the target."},
    Option{.features = "R12", .slash = "kf", .gnu = "keep-free", .ini = "KeepFree", .kind = Kind::size,
           .actions = kPlaces, .group = Group::placement, .value_name = "MIB",
           .help = "With --expand or --scale: leave this much free at the end.", .unit = 1U << 20},
    Option{.features = "R12", .slash = "rs", .gnu = "resize", .kind = Kind::size, .actions = kPlaces,
           .group = Group::placement, .value_name = "MIB",
           .help = "Resize the partition to this size afterwards; --expand overrides it.", .min = 1U << 20,
           .unit = 1U << 20},
    Option{.features = "R5", .slash = "sig", .gnu = "replace-nt-signature", .ini = "ReplaceNTSig", .actions = kPlaces,
           .group = Group::booting, .help = "Give the target the disk signature of the source."},
    Option{.features = "R5", .slash = "csig", .gnu = "change-nt-signature", .ini = "ChangeNTSig", .actions = kPlaces,
           .group = Group::booting,
           .help = "Give the target a new disk signature (GPT: new GUIDs) and rewrite references to the old one, so "
                   "that source and target can be in one machine. Whole drives only."},
    Option{.features = "R6", .slash = "ohd", .gnu = "use-original-drive-number", .ini = "UseOrgHDNum", .actions = kPlaces,
           .group = Group::booting, .help = "Keep the source's drive number inside boot sectors."},
    Option{.features = "R7", .slash = "a", .gnu = "set-active", .ini = "SetActive", .actions = kPlaces,
           .group = Group::booting,
           .help = "Make the partition active. By default only on drive 0 when no partition is."},
    Option{.features = "R8", .slash = "t", .gnu = "write-mbr", .ini = "WriteMBR", .actions = kPlaces,
           .group = Group::booting, .help = "Write standard MBR code. By default only when there is none."},
    Option{.features = "R11", .slash = "rft", .gnu = "restore-first-track", .ini = "RFT", .actions = kPlaces,
           .group = Group::booting, .help = "Restore the drive's first track with its boot code.", .built = true},
    Option{.features = "R11", .slash = "fts", .gnu = "first-track-sectors", .ini = "RFTS", .kind = Kind::integer,
           .actions = kPlaces, .group = Group::booting, .value_name = "N",
           .help = "How many sectors of the first track to restore; 0 is the whole of it. By default as many as the "
                   "boot code needs.",
           .max = 2048, .built = true},
    Option{.features = "R18", .slash = "ubi", .gnu = "update-boot-ini", .ini = "UpdateBootIni", .actions = kPlaces,
           .group = Group::booting,
           .help = "Make the partition(n) entries of boot.ini in the restored root point to the restored partition."},
    Option{.features = "R19", .slash = "ubp", .gnu = "update-boot-partition", .ini = "UpdateBootPart",
           .actions = kPlaces, .group = Group::booting,
           .help = "Update references to the restored partition in the target's active boot partition (BCD, boot.ini, "
                   "GRUB, fstab)."},
    Option{.features = "R16", .slash = "noosn", .gnu = "no-os-notification", .kind = Kind::choice,
           .actions = kPlaces, .group = Group::locking, .value_name = "N", .default_value = "0",
           .help = "When the system reads the target's new partition table.", .choices = kNotify, .built = true},
    Option{.features = "R17", .slash = "fd", .gnu = "force-dismount", .ini = "ForceDismount", .actions = kPlaces,
           .group = Group::locking, .help = "Unmount a busy target by force; files open on it may lose data."},
    Option{.features = "R17", .slash = "irlm", .gnu = "ignore-lock-failures", .kind = Kind::mask,
           .actions = kRestore, .group = Group::locking, .value_name = "MASK",
           .help = "Go on when these volumes cannot be locked: a mask (1 is A:, 64 is G:) or mount points."},
    Option{.features = "R17", .slash = "nlrm", .gnu = "no-lock", .kind = Kind::mask, .actions = kRestore,
           .group = Group::locking, .value_name = "MASK",
           .help = "Do not try to lock these volumes: a mask (1 is A:, 64 is G:) or mount points."},
    Option{.features = "R21", .slash = "cds", .gnu = "search-discs", .actions = kRestore, .group = Group::discs,
           .help = "Look for the image in all optical drives."},
    Option{.features = "R22", .slash = "mo", .gnu = "menu-offer", .actions = kRestore, .group = Group::menus,
           .help = "Offer the menus for a moment before the restore starts."},
};

}  // namespace

std::span<const Option> restore_options() { return kRestoreOptions; }

}  // namespace tintype::options
