// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "job/purge.h"
#include "ui/cli/actions.h"
#include "ui/cli/password.h"
#include "ui/cli/purge_table.h"

namespace tintype::cli {
namespace {

KeepRules rules_of(const options::ParsedCommand& command) {
  KeepRules rules;
  rules.last = command.number("keep-last").value_or(0);
  rules.daily = command.number("keep-daily").value_or(0);
  rules.weekly = command.number("keep-weekly").value_or(0);
  rules.monthly = command.number("keep-monthly").value_or(0);
  rules.yearly = command.number("keep-yearly").value_or(0);
  if (const std::optional<std::string> within = command.text("keep-within")) rules.within = parse_span(*within);
  return rules;
}

class PurgeAction {
 public:
  explicit PurgeAction(Session& session) : session_(session), command_(session.command()) {}

  Result<Report> run() {
    const std::string folder = *command_.text("folder");
    Result<std::unique_ptr<Place>> place = open_any_place(folder);
    if (!place && place.error().code == ErrorCode::not_found) return fail(std::move(place).error().with_hint("name the folder that the images are in"));
    place_ = TRY(std::move(place));
    JobContext context = session_.context();
    const std::optional<std::string> password = TRY(told_password(session_));
    found_ = TRY(scan_images(place_, password, context.cancel));
    std::vector<RetentionSet> sets;
    for (const FoundSet& each : found_.sets) sets.push_back(each.set);
    decisions_ = retain(sets, rules_of(command_), context.clock.now());
    count();
    Report end;
    end.tables = {purge_rows(found_, decisions_)};
    if (command_.flag("dry-run")) return foreseen(std::move(end), folder);
    show_table();
    if (removed_ != 0) TRY(ask(folder));
    const PurgeReport report = TRY(run_purge(place_, found_, decisions_, context));
    return result(std::move(end), report, folder);
  }

 private:
  void count() {
    for (std::size_t i = 0; i < decisions_.size(); ++i) {
      if (decisions_[i].keep) continue;
      ++removed_;
      bytes_ += found_.sets[i].bytes;
    }
  }

  std::string images(std::size_t number) const { return fmt::format("{} {}", number, number == 1 ? "image" : "images"); }

  void show_table() {
    if (command_.flag("json") || found_.sets.empty()) return;
    for (const std::string& line : purge_table(found_, decisions_)) session_.events().info(line);
  }

  Report foreseen(Report end, const std::string& folder) const {
    if (!found_.sets.empty()) end.summary = purge_table(found_, decisions_);
    for (const Leftover& leftover : found_.leftovers)
      end.summary.push_back(fmt::format("{} and what is left with it, of a purge that was cut off, would be removed", leftover.marker));
    end.summary.push_back(fmt::format("{} of {} in {} would be deleted, {}. Nothing was touched.", removed_,
                                      images(decisions_.size()), folder, format_size(bytes_)));
    end.facts = {{"folder", folder}, {"removed", std::vector<std::string>()}, {"freed_bytes", std::uint64_t{0}}};
    return end;
  }

  Result<void> ask(const std::string& folder) {
    std::vector<std::string> lost;
    for (std::size_t i = 0; i < decisions_.size(); ++i)
      if (!decisions_[i].keep) lost.push_back(found_.sets[i].file);
    const Answer answer = session_.events().ask(
        {QuestionKind::yes_no, "delete-images", fmt::format("Delete {} ({}) in {}?", images(removed_), format_size(bytes_), folder), lost});
    if (answer == Answer::yes) return {};
    return fail(ErrorCode::refused, fmt::format("nothing in {} is deleted", printable(folder)),
                "answer yes (--unattended-yes does), or look first with --dry-run");
  }

  Result<Report> result(Report end, const PurgeReport& report, const std::string& folder) {
    end.facts = {{"folder", folder}, {"removed", report.removed}, {"freed_bytes", report.freed_bytes}};
    end.summary.push_back(fmt::format("{} deleted in {}, {} freed; {} kept", images(report.removed.size()), folder,
                                      format_size(report.freed_bytes), images(decisions_.size() - report.removed.size())));
    for (const std::string& sentence : report.failed) session_.events().message({Severity::error, sentence});
    if (!report.failed.empty()) end.status = ExitStatus::failed;
    return end;
  }

  Session& session_;
  const options::ParsedCommand& command_;
  std::shared_ptr<Place> place_;
  ImageFolder found_;
  std::vector<Retention> decisions_;
  std::size_t removed_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace

Result<Report> run_purge_action(Session& session) { return PurgeAction(session).run(); }

}  // namespace tintype::cli
