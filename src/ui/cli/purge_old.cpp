// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/purge_old.h"
#include "ui/cli/tuning.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.h"
#include "job/purge.h"
#include "ui/cli/open_image.h"
#include "ui/cli/password.h"

namespace tintype::cli {
namespace {

// The paths or ids of the images just made: of one, or of several.
std::vector<std::string> made(const Report& report, const std::string& one, const std::string& several) {
  for (const Fact& fact : report.facts) {
    if (fact.name == one) return {std::get<std::string>(fact.value)};
    if (fact.name == several) return std::get<std::vector<std::string>>(fact.value);
  }
  return {};
}

Result<void> purge(Session& session, Report& report) {
  const options::ParsedCommand& command = session.command();
  const std::vector<std::string> paths = made(report, "image", "images"), ids = made(report, "set_id", "set_ids");
  if (paths.empty()) return {};
  const std::shared_ptr<Place> place = TRY(open_any_place(split_path(paths.front()).folder));
  JobContext context = session.context();
  const std::optional<std::string> password = TRY(told_password(session));
  const ImageFolder folder = TRY(scan_images(place, password, context.cancel));
  AgeRule rule{.days = command.number("purge").value_or(0), .all_sources = command.flag("purge-all-sources"), .just_made = {}};
  std::vector<RetentionSet> sets;
  for (const FoundSet& found : folder.sets) {
    sets.push_back(found.set);
    const bool is_new = std::ranges::find(ids, to_hex(found.set.id)) != ids.end();
    if (is_new) rule.just_made.push_back(found.set.id);
    if (!found.set.why_kept.empty())
      context.events.warn(fmt::format("{} is not purged: {}", place->describe(found.file), found.set.why_kept));
  }
  const PurgeReport purged = TRY(run_purge(place, folder, retain(sets, rule, context.clock.now()), context));
  report.facts.push_back({"purged", purged.removed});
  for (const std::string& name : purged.removed) report.summary.push_back(fmt::format("{} deleted: too old", place->describe(name)));
  if (purged.failed.empty()) return {};
  return fail(ErrorCode::io, fmt::format("{}", fmt::join(purged.failed, "; ")));
}

}  // namespace

void purge_old_images(Session& session, Report& report) {
  if (!session.command().has("purge")) return;
  const Result<void> done = purge(session, report);
  if (done) return;
  session.events().message({Severity::error, fmt::format("the image is complete, but purging old ones failed: {}", done.error().message())});
  report.status = done.error().code == ErrorCode::cancelled ? ExitStatus::refused : ExitStatus::failed;
}

}  // namespace tintype::cli
