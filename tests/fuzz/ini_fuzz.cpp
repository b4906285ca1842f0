// SPDX-License-Identifier: GPL-3.0-or-later
// An INI file from anywhere: every text ends in settings or in one sentence.
#include <cstddef>
#include <cstdint>

#include "options/ini.h"

using namespace tintype::options;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const Action action : {Action::backup, Action::restore, Action::copy}) {
    const auto found = settings_from_ini("fuzz.ini", text, action, true);
    if (!found && (found.error().code != tintype::ErrorCode::usage || found.error().message().empty()))
      __builtin_trap();
    if (!found) continue;
    for (const Setting& each : found->settings)
      if (!each.option->belongs_to(action) || each.option->ini.empty()) __builtin_trap();
  }
  return 0;
}
