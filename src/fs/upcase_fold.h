// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>

namespace tintype {

// UTF-8 in upper case, letter by letter, for comparing names where FAT ignores case: ASCII, Latin, Greek, Cyrillic, Armenian; all
// else stays. Source of the pairs: Unicode Character Database, simple upper-case mappings of these blocks.
std::string folded_name(const std::string& utf8);

}  // namespace tintype
