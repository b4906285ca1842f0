// SPDX-License-Identifier: GPL-3.0-or-later
#include <array>

#include "options/catalogue.h"

namespace tintype::options {
namespace {

// Manual table 1, the rows that only an interactive run looks at: the INI's values for them never reach a
// command line.
constexpr std::array kCheckBoxes = {
    Choice{0, "single", "a drive or one partition"},
    Choice{1, "individual", "a box for each partition"},
    Choice{2, "linked", "the same, an extended partition's box picks its volumes"},
};
constexpr std::array kBootPayload = {
    Choice{0, "menus", "the standard recovery menus"},
    Choice{1, "linux", "the Linux recovery medium"},
    Choice{2, "custom", "CDBOOT.INS"},
};

constexpr std::array kMenus = {
    Option{.features = "G3", .slash = "cb", .gnu = "check-boxes", .ini = "CheckBoxes", .kind = Kind::choice,
           .group = Group::menus, .value_name = "N", .default_value = "2",
           .help = "How partitions are picked in menus.", .choices = kCheckBoxes, .section = IniSection::options,
           .ini_on_command_line = false},
    Option{.features = "G4", .slash = "shownet", .gnu = "show-network", .ini = "ShowNetwork", .group = Group::menus,
           .default_value = "1", .help = "Show network places where a file is chosen.",
           .section = IniSection::options, .ini_on_command_line = false},
    Option{.features = "G5", .slash = "cdbins", .gnu = "cd-boot-instructions", .ini = "CDBIns", .kind = Kind::choice,
           .group = Group::discs, .value_name = "N", .default_value = "0",
           .help = "What a burned disc boots.", .choices = kBootPayload, .section = IniSection::options,
           .ini_on_command_line = false},
    Option{.features = "G17", .slash = "min", .gnu = "minimize", .group = Group::menus,
           .help = "Start with the window minimised."},
    Option{.features = "G26", .slash = "uggs", .gnu = "use-global-geometry-settings", .ini = "UseGlobalGeoSettings",
           .group = Group::menus, .default_value = "1",
           .help = "Apply the global geometry settings to this drive; 0 does not.", .section = IniSection::hd,
           .ini_on_command_line = false},
    Option{.features = "G28", .slash = "geodis", .gnu = "global-geometry-disable", .ini = "GlobalGeoDisable",
           .group = Group::menus, .help = "Switch the global geometry settings off.",
           .section = IniSection::options, .ini_on_command_line = false},
    Option{.features = "G28", .slash = "geoah", .gnu = "global-geometry-align-hs", .ini = "GlobalGeoAlignHS",
           .group = Group::menus, .default_value = "1",
           .help = "In menus: --align-end-hs and --align-hs-on-truncation for all drives.",
           .section = IniSection::options, .ini_on_command_line = false},
    Option{.features = "G28", .slash = "geoa2k", .gnu = "global-geometry-align-2048", .ini = "GlobalGeoAlign2K",
           .group = Group::menus,
           .help = "In menus: 2048-sector alignment for all drives, with what belongs to it.",
           .section = IniSection::options, .ini_on_command_line = false},
    Option{.features = "G28", .slash = "geombr", .gnu = "global-geometry-from-mbr", .ini = "GlobalGeoMBRGeo",
           .group = Group::menus,
           .help = "In menus: --use-mbr-geometry for all drives, for a drive that goes back to another machine.",
           .section = IniSection::options, .ini_on_command_line = false},
    Option{.features = "G28", .slash = "geombrv", .gnu = "global-geometry-from-mbr-validate",
           .ini = "GlobalGeoMBRGeoValidate", .group = Group::menus, .default_value = "1",
           .help = "In menus: take that geometry only if it is a known standard one.",
           .section = IniSection::options, .ini_on_command_line = false},
    Option{.features = "G28", .slash = "geoorg", .gnu = "global-geometry-original", .ini = "GlobalGeoOrgGeo",
           .group = Group::menus, .help = "In menus: --use-original-geometry for all drives.",
           .section = IniSection::options, .ini_on_command_line = false},
};

}  // namespace

std::span<const Option> menu_options() { return kMenus; }

}  // namespace tintype::options
