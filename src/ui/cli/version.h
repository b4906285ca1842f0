// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace tintype::cli {

inline constexpr const char* kVersion = TINTYPE_VERSION;  // from the project's CMakeLists.txt

}  // namespace tintype::cli
