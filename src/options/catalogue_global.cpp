// SPDX-License-Identifier: GPL-3.0-or-later
#include <array>

#include "options/catalogue.h"

namespace tintype::options {
namespace {

constexpr std::array kEventLevels = {
    Choice{0, "none", "nothing"},
    Choice{1, "errors", "errors"},
    Choice{2, "warnings", "errors and warnings"},
    Choice{3, "status", "also start and end, the default"},
    Choice{4, "all", "everything"},
};
constexpr std::array kPriorities = {
    Choice{0, "low", "low"},          Choice{1, "below-normal", "below normal"},
    Choice{2, "normal", "normal"},    Choice{3, "above-normal", "above normal"},
    Choice{4, "high", "high"},        Choice{8, "background-low", "low, in the background"},
    Choice{9, "background-below-normal", "below normal, in the background"},
    Choice{10, "background", "normal, in the background (idle input/output)"},
    Choice{11, "background-above-normal", "above normal, in the background"},
    Choice{12, "background-high", "high, in the background"},
};

constexpr std::array kPerformance = {
    Choice{16, "flush-removable", "write to removable drives without delay, every few MiB (not with 257)"},
    Choice{257, "cached-writes", "leave what is written to the system's cache, and when it is written out too"},
    Choice{514, "cached-reads", "leave what is read in the system's cache"},
    Choice{1028, "small-on-backup", "a backup lets no more than 4 MiB wait to be written"},
    Choice{2056, "small-on-restore", "a restore lets no more than 4 MiB wait to be written"},
};

// Manual table 1, without the unattended modes and what serves menus only.
constexpr std::array kGlobal = {
    Option{.features = "G10", .slash = "logfile", .gnu = "log-file", .ini = "LogFile", .kind = Kind::path,
           .group = Group::reporting, .value_name = "FILE", .default_value = "tintype.log",
           .help = "Where the log goes; its folder must exist.", .section = IniSection::options, .built = true},
    Option{.features = "G11", .slash = "evlogl", .gnu = "event-log-level", .ini = "EventLogLevel",
           .kind = Kind::choice, .group = Group::reporting, .value_name = "N", .default_value = "3",
           .help = "What goes to the system log.", .choices = kEventLevels, .section = IniSection::options,
           .built = true},
    Option{.features = "G25", .slash = "msg", .gnu = "message", .ini = "Message", .kind = Kind::text,
           .group = Group::reporting, .value_name = "TEXT",
           .help = "Text shown while the action runs; \\n begins a new line.", .max = 4096,
           .section = IniSection::options, .built = true},
    Option{.features = "G15", .slash = "email", .gnu = "email", .ini = "Email", .kind = Kind::star_list,
           .group = Group::reporting, .value_name = "HOST*FROM*TO*SUBJECT*PORT*USER*PASSWORD",
           .help = "Mail the result, also when no log is kept. What stands after TO may be left out; several addresses in TO have "
                   "commas between them. TLS is used where the server offers it (from the start on port 465), and "
                   "demanded, with a certificate that is trusted (SSL_CERT_FILE names another authority), where there is a "
                   "password. A host written smtp://HOST is not asked for either. Other users can see the password in "
                   "the list of processes: keep it in an INI file or the variable TINTYPE.",
           .min = 3, .max = 7, .section = IniSection::options, .secret_field = 6, .built = true},
    Option{.features = "G9", .slash = "kfb", .gnu = "keep-failed-backups", .ini = "KeepFailedBackups",
           .group = Group::image, .help = "Keep the files of a backup that failed.",
           .section = IniSection::options, .built = true},
    Option{.features = "G12", .slash = "relax", .gnu = "relaxed-matching", .ini = "RelaxedMatching",
           .group = Group::what,
           .help = "In a changes-only backup, be less strict about which drive the base image was made of: one of disk signature, serial "
                   "number and path is enough.",
           .section = IniSection::options, .built = true},
    Option{.features = "G8 N4", .slash = "vN", .gnu = "virtual-drive", .ini = "VN", .kind = Kind::virtual_drive,
           .group = Group::what, .value_name = "N:FILE[,C|R,TYPE,MIB]",
           .help = "Name a file as virtual drive N (0 to 9) for the options that follow. A restore or copy to it makes the file if it "
                   "is missing (C, or create) or even if it is there, without asking (R, or recreate); list makes a missing one. Types are raw, "
                   "vhdd, vhdf, vmdk, vmdks, vhdx, vdi, qcow2. In slash spelling /v3:FILE; /v0: alone forgets all virtual drives.",
           .section = IniSection::options, .repeatable = true, .built = true},
    Option{.features = "G14 N9", .slash = "savename", .gnu = "save-name", .kind = Kind::text,
           .group = Group::image, .value_name = "NAME",
           .help = "After a backup, restore or validation that succeeded remember the image's full path, so that $~NAME$ "
                   "stands for it in later runs of the same user.",
           .max = 64, .built = true},
    Option{.features = "G2", .slash = "seq", .gnu = "sequential-volume-ids", .ini = "SeqVolID", .group = Group::what,
           .default_value = "1",
           .help = "Number volumes in the order of their chain. There is no other order here.",
           .section = IniSection::options, .built = true},
    Option{.features = "G1", .slash = "uvl", .gnu = "volume-labels", .ini = "VolumeLabels",
           .group = Group::reporting, .default_value = "1",
           .help = "Show the labels of file systems; 0 shows the names in the partition table instead.",
           .section = IniSection::options},
    Option{.features = "G27", .slash = "npt", .gnu = "no-partition-table", .ini = "NoPartTable", .group = Group::what,
           .help = "Treat drives named after this as one volume without a partition table, until --no-partition-table=0.",
           .section = IniSection::hd, .ini_on = "0x10000", .ini_on_command_line = false},
    Option{.features = "G27", .slash = "anpt", .gnu = "assume-no-partition-table", .ini = "AssumeNoPartTable",
           .group = Group::what, .help = "The same, but only for a drive whose first sector is all zeros.",
           .section = IniSection::hd, .ini_on = "0x40000", .ini_on_command_line = false},
    Option{.features = "G27", .slash = "nptrm", .gnu = "no-partition-table-removable-only", .ini = "NPTOptRemMedOnly",
           .group = Group::what, .help = "Apply the two options above to removable drives only.",
           .section = IniSection::hd, .ini_on = "0x80000", .ini_on_command_line = false},
    Option{.features = "G29 R12", .slash = "nos", .gnu = "no-scale", .ini = "NoScale", .kind = Kind::size,
           .group = Group::placement, .value_name = "SIZE",
           .help = "When scaling, leave partitions of this size or smaller as they are: 200m is 200 MiB.",
           .section = IniSection::options, .ini_on_command_line = false},
    Option{.features = "G7 R8", .slash = "w7mbr", .gnu = "win7-mbr", .ini = "Win7MBR", .group = Group::booting,
           .help = "Standard MBR code is the variant that Windows 7 and later boot from on every machine.",
           .section = IniSection::options, .ini_on_command_line = false},
    Option{.features = "G23 R25", .slash = "phc", .gnu = "page-hibernation-clear", .ini = "PageHiberClear",
           .kind = Kind::integer, .group = Group::placement, .value_name = "BITS", .default_value = "1",
           .help = "What becomes of page and hibernation files that the image left out, as a sum: 1 clear the page "
                   "file's first 4096 bytes, 2 truncate it, 4 clear 8192 bytes of the hibernation file, 8 truncate it.",
           .max = 15, .section = IniSection::options},
    Option{.features = "G6", .slash = "nocan", .gnu = "no-cancel", .ini = "NoCancel", .group = Group::unattended,
           .help = "A running action cannot be cancelled from the keyboard; a termination signal still can.",
           .section = IniSection::options, .built = true},
    Option{.features = "G13", .slash = "quit", .gnu = "quit", .group = Group::unattended,
           .help = "Process the options, then stop before the action.", .built = true},
    Option{.features = "G16", .slash = "po", .gnu = "performance-options", .ini = "PerfOpt", .kind = Kind::sum,
           .group = Group::tuning, .value_name = "SUM", .default_value = "16",
           .help = "How the system's cache of file contents is used: a sum of these, or their words joined by '+'; 0 for none. "
                   "Without 257 and 514 a run leaves the cache as it found it.",
           .choices = kPerformance, .section = IniSection::options, .built = true},
    Option{.features = "G18", .slash = "priority", .gnu = "priority", .ini = "Priority", .kind = Kind::choice,
           .group = Group::tuning, .value_name = "N", .help = "The processor priority from the beginning of an action on. More than the present one needs rights.",
           .choices = kPriorities, .section = IniSection::options, .built = true},
    Option{.features = "G19", .slash = "login", .gnu = "log-in", .ini = "LogIn", .kind = Kind::star_list,
           .group = Group::system, .value_name = "SHARE*USER*PASSWORD",
           .help = "Connect a network share. *USER*PASSWORD stores the password encrypted, *USER deletes it.",
           .min = 2, .max = 3, .section = IniSection::options, .repeatable = true, .secret_field = 2},
    Option{.features = "G21 S5", .slash = "ignsvc", .gnu = "ignore-services", .ini = "IgnoreServices",
           .group = Group::locking, .help = "Do not process services.ins.", .section = IniSection::options},
    Option{.features = "G20", .slash = "plur", .gnu = "snapshot-saved-settings", .ini = "PHYLockUseReg",
           .group = Group::locking, .help = "Take the snapshot settings from the saved system settings.",
           .section = IniSection::options},
    Option{.features = "G22", .slash = "usbign", .gnu = "usb-ignore-mask", .ini = "USBIgnoreMask",
           .kind = Kind::integer, .group = Group::system, .value_name = "MASK",
           .help = "USB controllers to leave alone. Has no effect on this system.",
           .section = IniSection::options, .no_effect_here = true, .built = true},
    Option{.features = "G24", .slash = "fnts", .gnu = "force-nt-signature", .ini = "ForceNTSig", .group = Group::system,
           .default_value = "1",
           .help = "Put the restored disk signature back if the system alters it. Has no effect on this system, "
                   "which never does.",
           .section = IniSection::options, .no_effect_here = true, .built = true},
    Option{.features = "C1", .slash = "", .gnu = "time-zone", .ini = "TimeZone", .kind = Kind::text,
           .group = Group::reporting, .value_name = "ZONE", .help = "The time zone of names and logs.", .max = 64,
           .section = IniSection::options},
};

}  // namespace

std::span<const Option> global_options() { return kGlobal; }

}  // namespace tintype::options
