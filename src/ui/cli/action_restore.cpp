// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "job/restore.h"
#include "ui/cli/actions.h"
#include "ui/cli/drive_checks.h"
#include "ui/cli/foreign_image.h"
#include "ui/cli/open_image.h"
#include "ui/cli/restore_target.h"
#include "ui/cli/target_plan.h"

namespace tintype::cli {
namespace {

class RestoreAction {
 public:
  explicit RestoreAction(Session& session) : session_(session), command_(session.command()) {}

  Result<Report> run() {
    image_ = TRY(open_image(*command_.text("file"), session_));
    TRY(require_chain(image_));
    const SourceView source = view_of(image_.reader->catalog());
    target_ = TRY(find_target(command_.texts("drive"), source, new_drive(command_)));
    const RestoreOptions options = TRY(placement_of(command_, source, target_));
    plan_ = TRY(make_plan(source, target_, options, session_.context().random));
    const TargetUse use = target_.is_new ? TargetUse{} : TRY(check_target(target_.path, plan_, files_of(image_)));
    if (command_.flag("dry-run")) return describe_plan(plan_, target_);
    TRY(ask_to_overwrite(plan_, target_, session_));
    TRY(session_.cancel().check());
    Result<Report> report = write(use.exclusive);
    if (report || !created_) return report;
    return fail(without_file(std::move(report).error(), target_));
  }

 private:
  Result<Report> write(bool exclusive) {
    RestoreRequest request;
    request.image = image_.reader;
    const std::shared_ptr<Drive> target = TRY(open_target(target_, exclusive, session_.tuning().cache()));
    request.target = session_.tuning().gently(target);
    created_ = target_.is_new;
    target_format_ = target->info().format;
    if (created_) session_.events().info(fmt::format("made {}, {}, sparse", target_.path, format_size(target_.info.size_bytes)));
    request.plan = plan_;
    request.fresh_target = created_;
    request.validate_first = command_.flag("pre-validate");
    request.compare_after = command_.flag("byte-for-byte");
    request.allow_errors = command_.flag("allow-errors");
    request.multi_pass = command_.flag("multi-pass");
    // A file that was just made has nothing to compare with.
    request.delta = (command_.flag("delta") || command_.flag("resume")) && !target_.is_new;
    JobContext context = session_.context();
    const auto started = std::chrono::steady_clock::now();
    const RestoreReport report = TRY(run_restore(request, context));
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    tell_system(*target, plan_, session_);
    return result(report, seconds);
  }

  Report result(const RestoreReport& report, double seconds) const {
    Report end;
    end.facts = {{"image", image_.path},
                 {"target", target_.path},
                 {"target_format", target_format_},
                 {"written_bytes", report.written_bytes},
                 {"compared_bytes", report.compared_bytes},
                 {"unwritable_bytes", report.unwritable_bytes}};
    const std::string compared = report.compared_bytes == 0 ? "" : format_size(report.compared_bytes) + " compared, ";
    const double speed = static_cast<double>(std::max(report.written_bytes, report.compared_bytes)) / std::max(seconds, 0.001);
    end.summary.push_back(fmt::format("{} restored to {}: {}{} written, {:.1f} s, {}/s", image_.path, target_.path, compared,
                                      format_size(report.written_bytes), seconds, format_size(static_cast<std::uint64_t>(speed))));
    if (report.outcome == Outcome::with_bad_sectors) {
      end.status = ExitStatus::bad_sectors;
      if (report.unwritable_bytes != 0)
        end.summary.push_back(fmt::format("{} of the target could not be written", format_size(report.unwritable_bytes)));
    }
    return end;
  }

  Session& session_;
  const options::ParsedCommand& command_;
  OpenedImage image_;
  RestoreTarget target_;
  RestorePlan plan_;
  bool created_ = false;
  std::string target_format_;
};

}  // namespace

Result<Report> run_restore_action(Session& session) {
  if (const std::optional<std::string> path = foreign_path(*session.command().text("file"))) return restore_foreign(*path, session);
  return RestoreAction(session).run();
}

}  // namespace tintype::cli
