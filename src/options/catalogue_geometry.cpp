// SPDX-License-Identifier: GPL-3.0-or-later
#include <array>

#include "options/catalogue.h"

namespace tintype::options {
namespace {

constexpr ActionSet kRestore = bit(Action::restore);
constexpr ActionSet kPlaces = kRestore | bit(Action::copy);

constexpr std::array kAlignOnEnd = {
    Choice{0, "no", "do not align the end"},
    Choice{1, "yes", "end on a cylinder, or on 2048 sectors"},
    Choice{2, "resize", "the same, by resizing the partition"},
};

// Manual tables 6 and 10, the rows of section [HDx].
constexpr std::array kGeometry = {
    Option{.features = "R23", .slash = "n2ka", .gnu = "no-2048-alignment", .actions = kPlaces, .group = Group::geometry,
           .help = "Do not switch to 2048-sector alignment by itself when the source was aligned so."},
    Option{.features = "R23", .slash = "aoe", .gnu = "align-on-end", .ini = "AlignOnEnd", .kind = Kind::choice,
           .actions = kPlaces, .group = Group::geometry, .value_name = "N", .default_value = "1",
           .help = "Where a partition ends.", .choices = kAlignOnEnd, .section = IniSection::hd},
    Option{.features = "R23", .slash = "a2k", .gnu = "align-2048", .ini = "Align2048", .actions = kPlaces,
           .group = Group::geometry, .help = "Align partitions on 2048 sectors.", .section = IniSection::hd},
    Option{.features = "R23", .slash = "ahs", .gnu = "align-end-hs", .ini = "AlignEndHS", .actions = kPlaces,
           .group = Group::geometry,
           .help = "Make the ending head and sector in the partition table match the present geometry.",
           .section = IniSection::hd},
    Option{.features = "R23", .slash = "ahst", .gnu = "align-hs-on-truncation", .ini = "AlignHSOnTrunc",
           .actions = kPlaces, .group = Group::geometry,
           .help = "The same for head and sector of a partition that lies beyond the present geometry.",
           .section = IniSection::hd},
    Option{.features = "R23", .slash = "mg", .gnu = "use-mbr-geometry", .ini = "UseMBRGeo", .actions = kPlaces,
           .group = Group::geometry,
           .help = "Use the geometry that the source's first partition entry tells.", .section = IniSection::hd},
    Option{.features = "R23", .slash = "mgv", .gnu = "use-valid-mbr-geometry-only", .ini = "UseValidMBRGeoOnly",
           .actions = kRestore, .group = Group::geometry,
           .help = "With --use-mbr-geometry: only if that geometry is a known standard one.", .section = IniSection::hd},
    Option{.features = "R23", .slash = "og", .gnu = "use-original-geometry", .ini = "UseOrgGeo", .actions = kPlaces,
           .group = Group::geometry, .help = "Use the geometry that the source drive had on its own machine.",
           .section = IniSection::hd},
    Option{.features = "R23", .slash = "c", .gnu = "last-cylinder", .ini = "c", .kind = Kind::integer,
           .actions = kPlaces, .group = Group::geometry, .value_name = "0..1023",
           .help = "The target's last cylinder, given by hand.", .max = 1023, .section = IniSection::hd},
    Option{.features = "R23", .slash = "h", .gnu = "last-head", .ini = "h", .kind = Kind::integer,
           .actions = kPlaces, .group = Group::geometry, .value_name = "0..254",
           .help = "The target's last head, given by hand.", .max = 254, .section = IniSection::hd},
    Option{.features = "R23", .slash = "s", .gnu = "sectors-per-track", .ini = "s", .kind = Kind::integer,
           .actions = kPlaces, .group = Group::geometry, .value_name = "1..63",
           .help = "The target's sectors per track, given by hand.", .min = 1, .max = 63,
           .section = IniSection::hd},
};

}  // namespace

std::span<const Option> geometry_options() { return kGeometry; }

}  // namespace tintype::options
