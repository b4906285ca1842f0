// SPDX-License-Identifier: GPL-3.0-or-later
#include <array>

#include "options/catalogue.h"

namespace tintype::options {
namespace {

constexpr ActionSet kBackup = bit(Action::backup);
constexpr ActionSet kRestore = bit(Action::restore);
constexpr ActionSet kPlaces = kRestore | bit(Action::copy);
constexpr ActionSet kShows = actions(Action::mount, Action::serve, Action::boot);
constexpr ActionSet kReadsImage =
    kImaging | kOpensImage | actions(Action::copy, Action::list, Action::salvage, Action::purge, Action::repair, Action::consolidate);
constexpr ActionSet kPurge = bit(Action::purge);
constexpr ActionSet kWorks = kImaging | actions(Action::copy, Action::repair, Action::consolidate);

constexpr std::array kFirmware = {Choice{0, "auto", "as the drive needs"}, Choice{1, "bios", "SeaBIOS"}, Choice{2, "uefi", "OVMF"}};

constexpr std::array kDriveTypes = {Choice{0, "raw", "the bytes themselves"},
                                    Choice{1, "vhdd", "VHD, growing"},
                                    Choice{2, "vhdf", "VHD, fixed"},
                                    Choice{3, "vmdk", "VMDK, growing, IDE"},
                                    Choice{4, "vmdks", "VMDK, growing, SCSI"},
                                    Choice{5, "qcow2", "QEMU"},
                                    Choice{6, "vhdx", "Hyper-V, growing"},
                                    Choice{7, "vdi", "VirtualBox, growing"}};

constexpr std::array kAccelerators = {Choice{0, "auto", "the processor's own help (KVM) where it is at hand"},
                                     Choice{1, "tcg", "emulation"}, Choice{2, "kvm", "KVM or nothing"}};

// What the reference product does not have. Slash spelling: the same words ("/json", "/dry-run").
constexpr std::array kBeyond = {
    Option{.features = "B26", .slash = "", .gnu = "password-file", .kind = Kind::path,
           .actions = kReadsImage, .group = Group::image, .value_name = "FILE",
           .help = "Read the password from the first line of this file.", .built = true},
    Option{.features = "B26", .slash = "", .gnu = "password-fd", .kind = Kind::integer,
           .actions = kReadsImage, .group = Group::image, .value_name = "N",
           .help = "Read the password from the first line of this open file descriptor.", .max = 1048576,
           .built = true},
    Option{.features = "X8 A5", .slash = "json", .gnu = "json", .group = Group::reporting,
           .help = "Write JSON to standard output: one object for list, one event a line for the other actions.",
           .built = true},
    Option{.features = "X8", .slash = "", .gnu = "quiet", .group = Group::reporting,
           .help = "Show no progress, only warnings, errors and questions.", .built = true},
    Option{.features = "X8", .slash = "", .gnu = "no-color", .group = Group::reporting,
           .help = "Use no colours; the variable NO_COLOR does the same.", .built = true},
    Option{.features = "X11", .slash = "", .gnu = "create", .kind = Kind::size, .actions = kPlaces, .group = Group::what, .value_name = "SIZE",
           .help = "How large a target that does not exist yet is made; a bare number is in MiB. Without it as large as the source.",
           .min = 1, .unit = 1U << 20, .built = true},
    Option{.features = "X11 G8", .slash = "", .gnu = "type", .kind = Kind::choice, .actions = kPlaces | bit(Action::convert),
           .group = Group::what, .value_name = "TYPE",
           .help = "What a target that does not exist yet becomes. Without it its name says so: .vhd, .vmdk, .qcow2, .vhdx, .vdi; else a raw file. The name has to "
                   "agree, so that the file is known again.",
           .choices = kDriveTypes, .built = true},
    Option{.features = "X1", .slash = "", .gnu = "replace", .actions = bit(Action::consolidate), .group = Group::what,
           .help = "When the new image is complete and validated, delete those whose place it takes, newest first; never one that "
                   "another image in their folders still builds on.",
           .built = true},
    Option{.features = "X4", .slash = "", .gnu = "dry-run", .actions = kPlaces | kPurge | bit(Action::extract), .group = Group::what,
           .help = "Print the plan, touch nothing.", .built = true},
    Option{.features = "R1", .slash = "", .gnu = "original-place", .actions = kRestore, .group = Group::placement,
           .help = "Put the partition where it lay on its source, which is also what a --drive without a partition "
                   "means.",
           .built = true},
    Option{.features = "S1", .slash = "", .gnu = "allow-in-use", .actions = kBackup | bit(Action::copy),
           .group = Group::locking,
           .help = "Read a source although it is mounted for writing. The image then says that it is not of one "
                   "point in time; a copy is not either.",
           .built = true},
    Option{.features = "B27", .slash = "", .gnu = "retries", .kind = Kind::integer,
           .actions = kBackup | bit(Action::copy), .group = Group::checking, .value_name = "N",
           .default_value = "1",
           .help = "How often a sector that cannot be read is tried again, after large reads have been cut to small "
                   "ones.",
           .max = 100, .built = true},
    Option{.features = "X8", .slash = "", .gnu = "workers", .kind = Kind::integer, .actions = kWorks,
           .group = Group::tuning, .value_name = "N",
           .help = "How many threads compress, hash and encrypt; by default one a processor. The result does not "
                   "depend on it.",
           .min = 1, .max = 256, .built = true},
    Option{.features = "B19", .slash = "", .gnu = "purge-all-sources", .actions = kBackup, .group = Group::image,
           .help = "With --purge: delete old images of other sources too.", .built = true},
    Option{.features = "B22 X6", .slash = "", .gnu = "resume", .actions = kBackup | kRestore,
           .group = Group::what,
           .help = "Go on with a backup that was cut off (killed, a power cut, a full or lost place): what is safely in its unfinished "
                   "files is not saved again. The source is hashed again, so the image is of its state now. A restore goes on as --delta does.",
           .built = true},
    Option{.features = "X5", .slash = "", .gnu = "parity", .ini = "Parity", .kind = Kind::integer, .actions = kBackup,
           .group = Group::image, .value_name = "PERCENT",
           .help = "Write a recovery file of this share of the image (IMAGE.parity), such as 5%, from which repair brings back "
                   "what is damaged or lost later: one contiguous loss of up to the share, a lost part file included, or "
                   "scattered damage.",
           .min = 1, .max = 100, .percent = true, .built = true},
    Option{.features = "X7", .slash = "", .gnu = "delta", .actions = kPlaces, .group = Group::tuning,
           .help = "Read the target first and write only what differs: the fast way back to an earlier state, and the way to "
                   "finish a restore or a copy that was cut off.",
           .built = true},
    Option{.features = "X3", .slash = "", .gnu = "mount-point", .kind = Kind::path, .actions = bit(Action::unmount), .group = Group::what,
           .value_name = "FOLDER", .help = "The folder that an image was mounted on.", .built = true},
    Option{.features = "X3", .slash = "", .gnu = "writable", .actions = actions(Action::mount, Action::serve), .group = Group::what,
           .help = "Take writes too. They go to a temporary file, never into the image, and are forgotten in the end.",
           .built = true},
    Option{.features = "X3", .slash = "", .gnu = "overlay-folder", .kind = Kind::path, .actions = kShows, .group = Group::what,
           .value_name = "FOLDER", .help = "Where the temporary file for writes lies; by default in $TMPDIR or /var/tmp.", .built = true},
    Option{.features = "P6", .slash = "", .gnu = "files", .actions = bit(Action::mount), .group = Group::what,
           .help = "Show the files of every file system that can be read too, as folders, read-only.", .built = true},
    Option{.features = "X3", .slash = "", .gnu = "allow-other", .actions = bit(Action::mount), .group = Group::what,
           .help = "Let other users of the machine see what is mounted; otherwise only who mounted it does.", .built = true},
    Option{.features = "X3", .slash = "", .gnu = "foreground", .actions = bit(Action::mount), .group = Group::what,
           .help = "Stay until it is unmounted, instead of going on in the background.", .built = true},
    Option{.features = "X3", .slash = "", .gnu = "socket", .kind = Kind::path, .actions = bit(Action::serve), .group = Group::what,
           .value_name = "PATH", .help = "The unix socket to listen on; by default one in a private folder, whose name is shown.", .built = true},
    Option{.features = "X3", .slash = "", .gnu = "memory", .kind = Kind::size, .actions = bit(Action::boot), .group = Group::what,
           .value_name = "SIZE", .default_value = "2048", .help = "Memory of the virtual machine, at least 1 MiB; a bare number is in MiB.",
           .min = 1U << 20, .unit = 1U << 20, .built = true},
    Option{.features = "X3", .slash = "", .gnu = "firmware", .kind = Kind::choice, .actions = bit(Action::boot), .group = Group::booting,
           .value_name = "NAME", .default_value = "auto",
           .help = "What starts the system. Auto takes uefi where the drive has a GPT with an EFI system partition, else bios.",
           .choices = kFirmware, .built = true},
    Option{.features = "X3", .slash = "", .gnu = "accelerator", .kind = Kind::choice, .actions = bit(Action::boot), .group = Group::tuning,
           .value_name = "NAME", .default_value = "auto", .help = "What runs the virtual machine's processor.",
           .choices = kAccelerators, .built = true},
    Option{.features = "X3", .slash = "", .gnu = "headless", .actions = bit(Action::boot), .group = Group::what,
           .help = "No window: the machine's serial port is the terminal. Ctrl-A X ends it.", .built = true},
    Option{.features = "X12", .slash = "", .gnu = "boot-test", .actions = kPlaces, .group = Group::checking,
           .help = "Afterwards start the target in a virtual machine and report how far it came."},
    Option{.features = "X13", .slash = "", .gnu = "repair-boot", .actions = kPlaces, .group = Group::booting,
           .help = "Mend UEFI boot entries, the EFI system partition, GRUB and fstab after a change of disk."},
};

}  // namespace

std::span<const Option> beyond_options() { return kBeyond; }

}  // namespace tintype::options
