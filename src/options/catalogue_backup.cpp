// SPDX-License-Identifier: GPL-3.0-or-later
#include <array>

#include "options/catalogue.h"

namespace tintype::options {
namespace {

constexpr std::array kCompression = {
    Choice{0, "none", "stored as it is"},          Choice{1, "standard", "fast, the default"},
    Choice{2, "less", "stronger, a little slower"}, Choice{7, "normal", "stronger still"},
    Choice{10, "max", "smallest, slowest"},
};
constexpr std::array kEncryption = {
    Choice{0, "none", "no password"},
    Choice{1, "password", "the password is checked, nothing is encrypted"},
    Choice{3, "aes256", "AES-256, authenticated; key made from the password"},
};

constexpr ActionSet kBackup = bit(Action::backup);
constexpr ActionSet kWriter = kBackup | bit(Action::consolidate);
constexpr ActionSet kReader = kBackup | bit(Action::copy);

// Manual table 4: what only a backup (or a copy, which reads a drive too) has.
constexpr std::array kBackupOptions = {
    Option{.features = "B3", .slash = "enc", .gnu = "encryption", .ini = "Encryption", .kind = Kind::choice,
           .actions = kBackup, .group = Group::image, .value_name = "N", .default_value = "0",
           .help = "Protect the image by the password.", .choices = kEncryption, .built = true},
    Option{.features = "B14", .slash = "comp", .gnu = "compression", .ini = "Compression", .kind = Kind::choice,
           .actions = kBackup, .group = Group::image, .value_name = "N", .default_value = "1",
           .help = "How hard to compress. Data that does not shrink is stored as it is at every level.",
           .choices = kCompression, .built = true},
    Option{.features = "B9", .slash = "max", .gnu = "max-file-size", .ini = "MaxFileSize", .kind = Kind::size,
           .actions = kWriter, .group = Group::image, .value_name = "SIZE",
           .help = "Split the image into files of at most this size, such as 650MiB or 4GiB. By default the largest "
                   "file that the target's file system can hold. A block of 512 KiB is never cut in two: files of a few MiB may "
                   "stay partly empty.",
           .min = 1U << 20, .unit = 0, .built = true},
    Option{.features = "B18", .slash = "desc", .gnu = "description", .kind = Kind::text, .actions = kWriter,
           .group = Group::image, .value_name = "TEXT",
           .help = "A few words kept in the image and shown in lists.", .max = 127, .built = true},
    Option{.features = "B6", .slash = "md", .gnu = "make-dir", .ini = "MakeDir", .actions = kWriter,
           .group = Group::image, .help = "Create the image's folder if it does not exist.", .built = true},
    Option{.features = "B10", .slash = "raw", .gnu = "raw-mode", .ini = "RawMode", .actions = kReader,
           .group = Group::image,
           .help = "Take all sectors, used or not. For a whole drive its partitions are not looked at.",
           .built = true},
    Option{.features = "B11", .slash = "skp", .gnu = "skip-page-file", .ini = "SkipPageFile", .actions = kReader,
           .group = Group::image, .default_value = "1",
           .help = "Leave out the data of page files (pagefile.sys, swapfile.sys) in the root folder; 0 takes it.",
           .built = true},
    Option{.features = "B11", .slash = "skh", .gnu = "skip-hibernation-file", .ini = "SkipHiberFile", .actions = kReader,
           .group = Group::image, .default_value = "1",
           .help = "Leave out the data of the hibernation file (hiberfil.sys) in the root folder; 0 takes it.",
           .built = true},
    Option{.features = "B5", .slash = "bc", .gnu = "backwards-compatible", .ini = "BackwardsCompatible",
           .actions = kBackup, .group = Group::image,
           .help = "Write the oldest version of the image format that is still read."},
    Option{.features = "B17", .slash = "mf", .gnu = "multiple-file-sets", .actions = kBackup, .group = Group::image,
           .help = "Write one image for each partition, each complete in itself, called NAME-1, NAME-2, NAME-0x301 and so on.",
           .built = true},
    Option{.features = "B19", .slash = "purge", .gnu = "purge", .ini = "Purge", .kind = Kind::integer,
           .actions = kBackup, .group = Group::image, .value_name = "DAYS",
           .help = "After success delete images of the same source (drive and choice of its partitions) in the same folder "
                   "that are this many times 24 hours old or older, never one that a kept image builds on, nor one that "
                   "cannot be read. The action purge has finer rules.",
           .min = 1, .max = 36500, .built = true},
    Option{.features = "B12", .slash = "v", .gnu = "post-validate", .ini = "PostValidate", .actions = kWriter,
           .group = Group::checking,
           .help = "Validate the image after writing it. A consolidation does so unless --no-post-validate is said.", .built = true},
    Option{.features = "B8", .slash = "cdws", .gnu = "cd-write-speed", .ini = "CDWriteSpeed", .kind = Kind::integer,
           .actions = kBackup, .group = Group::discs, .value_name = "N",
           .help = "Write discs no faster than this multiple of CD speed (a DVD's 2x is 16).", .min = 1, .max = 1000},
    Option{.features = "B8", .slash = "vpd", .gnu = "validate-disk", .ini = "ValidateDisk", .actions = kBackup,
           .group = Group::discs,
           .help = "Read each disc back after writing it, and offer to write it again if it is bad."},
    Option{.features = "B8", .slash = "ldu", .gnu = "limit-disc-usage", .ini = "LimitDiscUsage", .actions = kBackup,
           .group = Group::discs, .help = "Leave the outermost 10% of each disc unused."},
};

}  // namespace

std::span<const Option> backup_options() { return kBackupOptions; }

}  // namespace tintype::options
