// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "job/copy.h"
#include "ui/cli/actions.h"
#include "ui/cli/copy_source.h"
#include "ui/cli/damage.h"
#include "ui/cli/drive_checks.h"
#include "ui/cli/restore_target.h"
#include "ui/cli/target_plan.h"

namespace tintype::cli {
namespace {

class CopyAction {
 public:
  explicit CopyAction(Session& session) : session_(session), command_(session.command()) {}

  Result<Report> run() {
    source_ = TRY(find_copy_source(session_));
    TRY(choose_target());
    TRY(look_at_source());
    options_ = TRY(placement());
    plan_ = TRY(make_plan(view_, target_, options_, session_.context().random));
    TRY(check_use());
    if (command_.flag("dry-run")) return describe_plan(plan_, target_);
    TRY(ask_to_overwrite(plan_, target_, session_));
    TRY(session_.cancel().check());
    Result<Report> report = write();
    if (report || !created_) return report;
    return fail(without_file(std::move(report).error(), target_));
  }

 private:
  const std::string& source_path() const { return source_.found.drive->info().path; }

  Result<void> choose_target() {
    SourceView drive;
    drive.drive = source_.found.drive->info();
    drive.layout = source_.found.layout;
    target_ = TRY(find_target(command_.texts("target-drive"), drive, new_drive(command_)));
    if (!target_.is_new && is_image(target_.path, session_))
      return fail(ErrorCode::refused, fmt::format("the target {} is an image", printable(target_.path)), "choose another target; backup makes images");
    return {};
  }

  // The source is claimed before anybody looks at it; but what is the target's drive too is claimed for writing later.
  Result<void> look_at_source() {
    choice_.layout = source_.found.layout;
    choice_.partitions = source_.found.partitions;
    choice_.raw = command_.flag("raw-mode");
    choice_.skip_page_files = command_.flag("skip-page-file");
    choice_.skip_hibernation_files = command_.flag("skip-hibernation-file");
    if (source_.image) return survey(session_.tuning().gently(source_.found.drive));
    kin_ = kinship(source_path(), target_.path);
    const SourceUse use = TRY(check_copy_source(source_.found, target_.path, command_.flag("allow-in-use")));
    if (use.consistency == "in-use") session_.events().warn("the source is in use: the copy will not be of one point in time");
    if (kin_.same_drive || command_.flag("dry-run")) return survey(source_.found.drive);
    OpenOptions options{.exclusive = use.exclusive && !kin_.same_object, .lock = true, .cache = session_.tuning().cache(),
                        .sector_bytes = source_.found.layout.sector_bytes};
    return survey(session_.tuning().gently(TRY(this_machine().open(source_path(), options))));
  }

  Result<void> survey(std::shared_ptr<Drive> drive) {
    choice_.drive = std::move(drive);
    areas_ = TRY(choose_areas(choice_, session_.events(), session_.cancel()));
    view_ = view_of(choice_, areas_);
    return {};
  }

  // What goes where. A partition without a place goes to free space.
  Result<RestoreOptions> placement() const {
    RestoreOptions options;
    const bool first_fit = command_.flag("first-fit");
    const SourceView::Held held = view_.held();
    const bool named = !source_.found.partitions.empty() && source_.found.partitions.front() != 0;
    if (named) {
      options.partition = source_.found.partitions.front();
    } else if (target_.partition_named || first_fit || !held.whole_drive) {
      const bool bare = view_.layout.kind == TableKind::none;
      if (!bare && held.partitions.size() != 1)
        return fail(ErrorCode::usage, fmt::format("{} has several partitions, or none", printable(source_path())), "say which one: --source-drive DRIVE@ID");
      options.partition = bare ? 0 : held.partitions.front();
    }
    if (target_.partition_named && first_fit)
      return fail(ErrorCode::usage, "a target partition is named, and another place is asked for", "leave out one of the two");
    if (target_.partition_named) {
      options.where = RestoreOptions::Where::partition;
      options.target_partition = target_.partition;
    } else if (options.partition) {
      options.where = RestoreOptions::Where::free_space;
    }
    if (command_.flag("restore-first-track")) options.first_track_sectors = command_.number("first-track-sectors").value_or(0);
    return options;
  }

  Result<void> check_use() {
    if (target_.is_new) return {};
    if (kin_.same_object) TRY(check_overlap(view_, target_.path, plan_));
    const std::vector<std::string> files = source_.image ? files_of(*source_.image) : std::vector<std::string>();
    exclusive_ = TRY(check_target(target_.path, plan_, files)).exclusive && (kin_.same_drive || !kin_.same_object);
    return {};
  }

  // Copying inside one drive: now that it is claimed, what was seen before must still be so.
  Result<void> look_again(const std::shared_ptr<Drive>& drive) {
    const ExtentSet planned = plan_.touched;
    TRY(survey(drive));
    plan_ = TRY(make_plan(view_, target_, options_, session_.context().random));
    if (plan_.touched == planned) return {};
    return fail(ErrorCode::refused, fmt::format("{} changed while everything was prepared", printable(source_path())), "nothing was written; start again");
  }

  Result<Report> write() {
    const std::shared_ptr<Drive> target = TRY(open_target(target_, exclusive_, session_.tuning().cache()));
    const std::shared_ptr<Drive> gentle = session_.tuning().gently(target);
    created_ = target_.is_new;
    target_format_ = target->info().format;
    if (created_) session_.events().info(fmt::format("made {}, {}, sparse", target_.path, format_size(target_.info.size_bytes)));
    if (kin_.same_drive) TRY(look_again(gentle));
    const CopyRequest request{.choice = choice_,
                              .areas = areas_,
                              .target = gentle,
                              .plan = plan_,
                              .compare_after = command_.flag("byte-for-byte"),
                              .allow_errors = command_.flag("allow-errors"),
                              .retries = static_cast<unsigned>(command_.number("retries").value_or(1)),
                              .fresh_target = created_,
                              // A file that was just made has nothing to compare with.
                              .delta = command_.flag("delta") && !created_};
    JobContext context = session_.context();
    const auto started = std::chrono::steady_clock::now();
    const CopyReport report = TRY(run_copy(request, context));
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    tell_system(*target, plan_, session_);
    return result(report, seconds);
  }

  Report result(const CopyReport& report, double seconds) {
    Report end;
    end.facts = {{"source", source_path()},
                 {"target", target_.path},
                 {"target_format", target_format_},
                 {"written_bytes", report.written_bytes},
                 {"compared_bytes", report.compared_bytes},
                 {"unreadable_bytes", report.unreadable_bytes},
                 {"unwritable_bytes", report.unwritable_bytes}};
    const std::string compared = report.compared_bytes == 0 ? "" : format_size(report.compared_bytes) + " compared, ";
    const double speed = static_cast<double>(std::max(report.written_bytes, report.compared_bytes)) / std::max(seconds, 0.001);
    end.summary.push_back(fmt::format("{} copied to {}: {}{} written, {:.1f} s, {}/s", source_path(), target_.path, compared,
                                      format_size(report.written_bytes), seconds, format_size(static_cast<std::uint64_t>(speed))));
    tell_losses(report, "source", choice_.drive, session_, end);
    return end;
  }

  Session& session_;
  const options::ParsedCommand& command_;
  CopySource source_;
  AreaChoice choice_;
  std::vector<SourceArea> areas_;
  SourceView view_;
  RestoreTarget target_;
  RestoreOptions options_;
  RestorePlan plan_;
  Kinship kin_;
  bool exclusive_ = false;
  bool created_ = false;
  std::string target_format_;
};

}  // namespace

Result<Report> run_copy_action(Session& session) { return CopyAction(session).run(); }

}  // namespace tintype::cli
