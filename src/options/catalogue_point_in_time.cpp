// SPDX-License-Identifier: GPL-3.0-or-later
#include <array>

#include "options/catalogue.h"

namespace tintype::options {
namespace {

constexpr ActionSet kReader = actions(Action::none, Action::backup, Action::copy);

constexpr std::array kMemory = {
    Choice{0, "large", "more memory"},
    Choice{1, "normal", "the default"},
    Choice{2, "small", "less memory"},
};

// Manual table 2: the point in time that a volume in use is saved at.
constexpr std::array kPointInTime = {
    Option{.features = "S2", .slash = "pldis", .gnu = "no-snapshot", .ini = "PHYLockDisable",
           .actions = kReader, .group = Group::locking, .help = "Never take a snapshot of a volume in use.",
           .section = IniSection::phylock},
    Option{.features = "S2", .slash = "plifnl", .gnu = "snapshot-if-no-lock", .ini = "PHYLockIfNoLock",
           .actions = kReader, .group = Group::locking, .help = "Take a snapshot only if the volume cannot be locked.",
           .section = IniSection::phylock},
    Option{.features = "S2", .slash = "plrell", .gnu = "snapshot-release-lock", .ini = "PHYLockReleaseLock",
           .actions = kReader, .group = Group::locking,
           .help = "Lock the volume, take the snapshot, then release the lock.", .section = IniSection::phylock},
    Option{.features = "S2", .slash = "plvolf", .gnu = "snapshot-flush-volume", .ini = "PHYLockVolFlush",
           .actions = kReader, .group = Group::locking,
           .help = "Flush the source's caches before locking it or taking the snapshot.",
           .section = IniSection::phylock},
    Option{.features = "S4", .slash = "pldisk", .gnu = "snapshot-use-disk", .ini = "PHYLockUseDisk",
           .actions = kReader, .group = Group::locking, .default_value = "1",
           .help = "Keep what the snapshot must remember on a disk too.", .section = IniSection::phylock},
    Option{.features = "S4", .slash = "plmem", .gnu = "snapshot-memory", .ini = "PHYLockMemory",
           .kind = Kind::choice, .actions = kReader, .group = Group::locking, .value_name = "N",
           .default_value = "1", .help = "How much memory the snapshot may take for itself.", .choices = kMemory,
           .section = IniSection::phylock},
    Option{.features = "S4", .slash = "pldcs", .gnu = "snapshot-disk-cache-size", .ini = "PHYLockDiskCacheSize",
           .kind = Kind::size, .actions = kReader, .group = Group::locking, .value_name = "MIB",
           .default_value = "200MiB", .help = "Room on disk for what the snapshot must remember.",
           .min = 1U << 20, .unit = 1U << 20, .section = IniSection::phylock},
    Option{.features = "S4", .slash = "plcs", .gnu = "snapshot-cache-size", .ini = "PHYLockCacheSize",
           .kind = Kind::size, .actions = kReader, .group = Group::locking, .value_name = "KIB",
           .default_value = "8192KiB", .help = "Room in memory for what the snapshot must remember.", .min = 1024,
           .unit = 1024, .section = IniSection::phylock},
    Option{.features = "S3", .slash = "plwft", .gnu = "snapshot-wait-time", .ini = "PHYLockWaitTime",
           .kind = Kind::integer, .actions = kReader, .group = Group::locking, .value_name = "MS",
           .default_value = "4250",
           .help = "Take the snapshot after this many milliseconds without a write to the source; keep it above "
                   "1250.",
           .min = 1, .max = 3600000, .section = IniSection::phylock},
    Option{.features = "S3", .slash = "plmwt", .gnu = "snapshot-max-wait-time", .ini = "PHYLockMaxWaitTime",
           .kind = Kind::integer, .actions = kReader, .group = Group::locking, .value_name = "MINUTES",
           .default_value = "0", .help = "Wait no longer than this for such a moment; 0 waits for ever.",
           .max = 525600, .section = IniSection::phylock},
};

}  // namespace

std::span<const Option> point_in_time_options() { return kPointInTime; }

}  // namespace tintype::options
