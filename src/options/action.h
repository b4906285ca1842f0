// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace tintype::options {

// What one run of the program does. `none` is a command of global options only ("/login:… /quit").
enum class Action : std::uint8_t {
  none, backup, restore, validate, copy, list, reboot, help, version,
  // named so that they can be refused in one clear sentence until they are built
  ls, extract, mount, unmount, serve, boot, consolidate, salvage, repair, convert, purge, boot_test, disc, media, schedule,
  deploy, tui,
};
inline constexpr std::size_t kActionCount = static_cast<std::size_t>(Action::tui) + 1;

// A set of actions, one bit each.
using ActionSet = std::uint32_t;
constexpr ActionSet bit(Action action) { return ActionSet{1} << static_cast<unsigned>(action); }
template <class... A>
constexpr ActionSet actions(A... several) { return (bit(several) | ...); }
inline constexpr ActionSet kEveryAction = (ActionSet{1} << kActionCount) - 1;
// Those that look into an image, or show it to others.
inline constexpr ActionSet kOpensImage = actions(Action::ls, Action::extract, Action::mount, Action::serve, Action::boot, Action::convert);
inline constexpr ActionSet kImaging = actions(Action::backup, Action::restore, Action::validate);

struct ActionInfo {
  Action action = Action::none;
  std::string_view feature = {};   // row of the feature catalogue
  std::string_view slash = {};     // "b"; empty if it has no slash spelling
  std::string_view gnu = {};       // "backup"
  std::string_view summary = {};   // one line, no final period
  std::string_view about = {};     // a paragraph for help and the manual page; may be empty
  std::string_view examples = {};  // one command a line, GNU spelling; may be empty
  // GNU names of the options whose values may stand as plain words, in this order, separated by blanks ("file to"). The last
  // takes all further words if it is repeatable. Such an action has no slash spelling: words may begin with '/'.
  std::string_view words = {};
  bool built = false;
};

std::span<const ActionInfo> all_actions();
const ActionInfo& info(Action action);
// By slash or GNU name, case-insensitive for the slash one; null if there is none.
const ActionInfo* find_slash_action(std::string_view name);
const ActionInfo* find_gnu_action(std::string_view name);

}  // namespace tintype::options
