// SPDX-License-Identifier: GPL-3.0-or-later
#include "options/catalogue.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "options/words.h"

namespace tintype::options {
namespace {

// By group, and within a group in the order of the files.
std::vector<Option> assemble() {
  const std::array parts = {main_options(),     backup_options(),     shared_options(), restore_options(),
                            geometry_options(), unattended_options(), purge_options(), looking_options(), beyond_options(), global_options(),
                            point_in_time_options(), menu_options()};
  std::vector<Option> all;
  for (std::size_t group = 0; group < kGroupCount; ++group)
    for (const std::span<const Option> part : parts)
      std::ranges::copy_if(part, std::back_inserter(all),
                           [&](const Option& each) { return each.group == static_cast<Group>(group); });
  return all;
}

}  // namespace

std::string_view to_string(Group group) {
  switch (group) {
    case Group::what: return "Source and target";
    case Group::image: return "The image";
    case Group::checking: return "Checking and errors";
    case Group::placement: return "Placing partitions";
    case Group::booting: return "Booting";
    case Group::geometry: return "Alignment and geometry";
    case Group::unattended: return "Questions and unattended runs";
    case Group::reporting: return "Output and logs";
    case Group::locking: return "Drives in use";
    case Group::discs: return "Optical discs";
    case Group::tuning: return "Speed and input/output";
    case Group::system: return "The system";
    case Group::menus: return "Menus";
  }
  return "";
}

std::span<const Option> catalogue() {
  static const std::vector<Option> all = assemble();
  return all;
}

const Option* find_option(std::string_view gnu) {
  const auto found = std::ranges::find(catalogue(), gnu, &Option::gnu);
  return found == catalogue().end() ? nullptr : &*found;
}

const Option& option(std::string_view gnu) {
  const Option* found = find_option(gnu);
  if (found == nullptr) __builtin_trap();
  return *found;
}

const Option* find_slash(Action action, std::string_view name) {
  const Option* by_gnu = nullptr;
  for (const Option& each : catalogue()) {
    if (!each.belongs_to(action)) continue;
    if (!each.slash.empty() && same_word(each.slash, name)) return &each;
    if (same_word(each.gnu, name)) by_gnu = &each;
  }
  return by_gnu;
}

const Option* find_gnu(Action action, std::string_view name) {
  const Option* beginning = nullptr;
  std::size_t count = 0;
  for (const Option& each : catalogue()) {
    if (!each.belongs_to(action)) continue;
    if (each.gnu == name) return &each;
    if (name.empty() || !each.gnu.starts_with(name)) continue;
    beginning = &each;
    ++count;
  }
  return count == 1 ? beginning : nullptr;
}

std::vector<const Option*> options_of(Action action) {
  std::vector<const Option*> out;
  for (const Option& each : catalogue())
    if (each.belongs_to(action)) out.push_back(&each);
  return out;
}

}  // namespace tintype::options
