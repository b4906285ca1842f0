// SPDX-License-Identifier: GPL-3.0-or-later
#include "options/command.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/local_time.h"
#include "base/text.h"
#include "options/name_variables.h"

namespace tintype::options {
namespace {

std::unexpected<Error> wrong(std::string what, std::string hint) {
  return fail(ErrorCode::usage, std::move(what), std::move(hint));
}

Result<void> exclude(const ParsedCommand& command, std::string_view a, std::string_view b) {
  if (!command.has(a) || !command.has(b)) return {};
  return wrong(fmt::format("--{} and --{} exclude each other", a, b), "leave one of them out");
}

Result<void> need(const ParsedCommand& command, std::string_view gnu, std::string_view example) {
  if (command.has(gnu)) return {};
  const Option& missing = option(gnu);
  const ActionInfo& action = info(command.action);
  if (!action.words.empty())
    return wrong(fmt::format("{} needs {} {}", action.gnu, missing.value_name == "IMAGE" ? "an" : "a", missing.value_name), fmt::format("say {}", example));
  return wrong(fmt::format("{} needs --{} (/{})", action.gnu, gnu, missing.slash), fmt::format("add {}", example));
}

Result<void> check_backup(const ParsedCommand& command) {
  TRY(need(command, "file", "--file /mnt/backup/name"));
  // The slash spelling is the manual's; elsewhere a drive that is named spares the search for it.
  if (const Setting* base = command.find("base"); base != nullptr && base->origin.where.starts_with('/')) TRY(exclude(command, "drive", "base"));
  if (!command.has("base")) TRY(need(command, "drive", "--drive 0, or see \"tintype list\""));
  TRY(exclude(command, "multiple-file-sets", "base"));
  TRY(exclude(command, "multiple-file-sets", "save-name"));
  if (command.has("purge-all-sources") && !command.has("purge"))
    return wrong("--purge-all-sources needs --purge", "add --purge DAYS");
  // A password that lies in the environment for other commands is no contradiction; one said here is.
  const Setting* password = command.password_source();
  if (password != nullptr && password->origin.place == Place::command_line && command.number("encryption") == 0 && !command.has("base"))
    return wrong("a password is given, but nothing is to be protected by it",
                 "add --encryption 3 (/enc:3), or 1 to have the password checked without encryption");
  return {};
}

Result<void> check_restore(const ParsedCommand& command) {
  TRY(need(command, "file", "--file /mnt/backup/name"));
  TRY(exclude(command, "original-place", "first-fit"));
  TRY(exclude(command, "mbr-slot", "use-same-mbr-entry"));
  TRY(exclude(command, "replace-nt-signature", "change-nt-signature"));
  return {};
}

Result<void> check_purge(const ParsedCommand& command) {
  TRY(need(command, "folder", "--folder /mnt/backup"));
  bool any = false;
  for (const std::string_view rule : {"keep-last", "keep-daily", "keep-weekly", "keep-monthly", "keep-yearly"})
    any = any || command.number(rule).value_or(0) != 0;
  if (const std::optional<std::string> within = command.text("keep-within")) {
    any = true;
    if (!parse_span(*within))
      return wrong(fmt::format("--keep-within: \"{}\" is no stretch of time", printable(*within)),
                   "say 30d, 2w, 1y6m; m are months");
  }
  if (any) return {};
  return wrong("purge needs a rule that keeps something; nothing is deleted",
               "add --keep-last 7, --keep-daily, --keep-weekly, --keep-monthly, --keep-yearly or --keep-within 30d");
}

Result<void> check_consolidate(const ParsedCommand& command) {
  TRY(need(command, "file", "--file /mnt/backup/friday"));
  TRY(need(command, "to", "--to /mnt/backup/full2"));
  if (command.flag("replace") && command.has("post-validate") && !command.flag("post-validate"))
    return wrong("--replace deletes images only after the new one was validated", "leave out --no-post-validate or --replace");
  return {};
}

// An overlay is there for writes alone.
Result<void> need_writable(const ParsedCommand& command) {
  if (!command.has("overlay-folder") || command.flag("writable")) return {};
  return wrong("--overlay-folder does nothing without --writable", "add --writable, or leave it out");
}

}  // namespace

const Setting* ParsedCommand::find(std::string_view gnu) const {
  const Option* wanted = &option(gnu);
  const auto found = std::ranges::find_if(settings.rbegin(), settings.rend(), [&](const Setting& each) {
    return each.option == wanted && !each.hd;
  });
  return found == settings.rend() ? nullptr : &*found;
}

bool ParsedCommand::flag(std::string_view gnu) const {
  const Setting* said = find(gnu);
  return said != nullptr ? said->value.number != 0 : option(gnu).default_value == "1";
}

std::optional<std::uint64_t> ParsedCommand::number(std::string_view gnu) const {
  if (const Setting* said = find(gnu)) return said->value.number;
  const Option& wanted = option(gnu);
  if (wanted.default_value.empty()) return std::nullopt;
  const Result<Value> value = parse_value(wanted, wanted.default_value);
  if (!value) __builtin_trap();  // a default that its own option refuses; a test looks at all of them
  return value->number;
}

std::optional<std::string> ParsedCommand::text(std::string_view gnu) const {
  if (const Setting* said = find(gnu)) return said->value.text;
  const std::string_view standard = option(gnu).default_value;
  if (standard.empty()) return std::nullopt;
  return std::string(standard);
}

std::vector<std::string> ParsedCommand::texts(std::string_view gnu) const {
  const Option* wanted = &option(gnu);
  std::vector<std::string> out;
  for (const Setting& each : settings) {
    if (each.option != wanted || each.hd) continue;
    if (wanted->kind != Kind::drive) out.push_back(each.value.text);
    else std::ranges::copy(split_drives(each.value.text), std::back_inserter(out));
  }
  return out;
}

const Setting* ParsedCommand::password_source() const {
  const Setting* strongest = nullptr;
  for (const std::string_view each : {"password", "password-file", "password-fd"}) {
    const Setting* said = find(each);
    if (said != nullptr && (strongest == nullptr || said > strongest)) strongest = said;
  }
  return strongest;
}

bool ParsedCommand::answers_no() const {
  const Setting* no = find("unattended-no");
  return flag("unattended-no") && (!flag("unattended-yes") || no > find("unattended-yes"));
}

bool ParsedCommand::answers_yes() const { return flag("unattended-yes") && !answers_no(); }

Result<void> check_together(const ParsedCommand& command) {
  if (command.flag("quit")) return {};
  if (const Setting* name = command.find("save-name")) {
    const Result<void> good = check_saved_name(name->value.text);
    if (!good) return fail(Error(good.error()).within(name->origin.where));
  }
  switch (command.action) {
    case Action::backup: return check_backup(command);
    case Action::restore: return check_restore(command);
    case Action::consolidate: return check_consolidate(command);
    case Action::validate:
    case Action::repair: return need(command, "file", "--file /mnt/backup/name");
    case Action::convert:
      TRY(need(command, "file", "tintype convert /mnt/backup/name new.qcow2"));
      return need(command, "to", "tintype convert /mnt/backup/name new.qcow2");
    case Action::ls: return need(command, "file", "tintype ls /mnt/backup/name");
    case Action::extract:
      TRY(need(command, "file", "tintype extract /mnt/backup/name@1 /folder --to DIR"));
      if (!command.has("path")) return wrong("extract needs a PATH", "say / for everything");
      if (!command.has("to") && !command.flag("dry-run")) return wrong("extract needs --to", "add --to DIR");
      return exclude(command, "overwrite", "skip-existing");
    case Action::serve: TRY(need_writable(command)); [[fallthrough]];
    case Action::boot: return need(command, "file", fmt::format("tintype {} /mnt/backup/name", info(command.action).gnu));
    case Action::unmount: return need(command, "mount-point", "tintype unmount /mnt/image");
    case Action::mount:
      TRY(need(command, "file", "tintype mount /mnt/backup/name /mnt/image"));
      TRY(need_writable(command));
      return need(command, "to", "tintype mount /mnt/backup/name /mnt/image");
    case Action::salvage:
      TRY(need(command, "file", "--file /mnt/backup/name"));
      return need(command, "to", "--to /mnt/big/folder");
    case Action::purge: return check_purge(command);
    case Action::copy:
      TRY(need(command, "source-drive", "--source-drive 0"));
      return need(command, "target-drive", "--target-drive 1");
    case Action::none:
      return wrong("no action is given", "say backup, restore, validate or list first, or \"tintype help\"");
    default: return {};
  }
}

}  // namespace tintype::options
