// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/foreign_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "drive/foreign/foreign.h"
#include "job/check_drive.h"
#include "job/copy.h"
#include "naming/image_name.h"
#include "ui/cli/damage.h"
#include "ui/cli/drive_checks.h"
#include "ui/cli/restore_target.h"
#include "ui/cli/target_plan.h"

namespace tintype::cli {
namespace {

double seconds_since(std::chrono::steady_clock::time_point started) {
  return std::max(std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count(), 0.001);
}

std::string speed(std::uint64_t bytes, double seconds) { return format_size(static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds)); }

Result<std::shared_ptr<Drive>> open_foreign_drive(const std::string& path, Session& session) {
  std::shared_ptr<Drive> drive = TRY(open_foreign(path));
  if (!drive) return fail(ErrorCode::corrupt, fmt::format("{} is no image any more", printable(path)));
  return session.tuning().gently(drive);
}

Result<void> require_sound(Drive& drive, Session& session) {
  JobContext context = session.context();
  const ValidateReport report = TRY(check_drive(drive, context));
  if (report.sound()) return {};
  tell_damage(report, session.events());
  return fail(ErrorCode::corrupt, fmt::format("{} is damaged; nothing was written", printable(drive.info().path)),
              "restore without --pre-validate and with --allow-errors brings back what can still be read");
}

class ForeignRestore {
 public:
  ForeignRestore(std::string path, Session& session) : path_(std::move(path)), session_(session), command_(session.command()) {}

  Result<Report> run() {
    choice_.drive = TRY(open_foreign_drive(path_, session_));
    choice_.layout = TRY(read_layout(*choice_.drive));
    choice_.skip_page_files = choice_.skip_hibernation_files = false;  // all that is there, as of any image
    areas_ = TRY(choose_areas(choice_, session_.events(), session_.cancel()));
    const SourceView view = view_of(choice_, areas_);
    target_ = TRY(find_target(command_.texts("drive"), view, new_drive(command_)));
    const RestoreOptions options = TRY(placement_of(command_, view, target_));
    plan_ = TRY(make_plan(view, target_, options, session_.context().random));
    const TargetUse use = target_.is_new ? TargetUse{} : TRY(check_target(target_.path, plan_, {path_}));
    if (command_.flag("dry-run")) return describe_plan(plan_, target_);
    if (command_.flag("pre-validate")) TRY(require_sound(*choice_.drive, session_));
    TRY(ask_to_overwrite(plan_, target_, session_));
    TRY(session_.cancel().check());
    Result<Report> report = write(use.exclusive);
    if (report || !created_) return report;
    return fail(without_file(std::move(report).error(), target_));
  }

 private:
  Result<Report> write(bool exclusive) {
    const std::shared_ptr<Drive> target = TRY(open_target(target_, exclusive, session_.tuning().cache()));
    created_ = target_.is_new;
    if (created_) session_.events().info(fmt::format("made {}, {}, sparse", target_.path, format_size(target_.info.size_bytes)));
    const CopyRequest request{.choice = choice_,
                              .areas = areas_,
                              .target = session_.tuning().gently(target),
                              .plan = plan_,
                              .compare_after = command_.flag("byte-for-byte"),
                              .allow_errors = command_.flag("allow-errors"),
                              .retries = 0,  // a checksum does not get better
                              .fresh_target = created_,
                              .delta = (command_.flag("delta") || command_.flag("resume")) && !created_};
    JobContext context = session_.context();
    const auto started = std::chrono::steady_clock::now();
    const CopyReport report = TRY(run_copy(request, context));
    const double seconds = seconds_since(started);
    tell_system(*target, plan_, session_);
    return result(report, target->info().format, seconds);
  }

  Report result(const CopyReport& report, const std::string& format, double seconds) {
    Report end;
    end.facts = {{"image", path_},
                 {"target", target_.path},
                 {"target_format", format},
                 {"written_bytes", report.written_bytes},
                 {"compared_bytes", report.compared_bytes},
                 {"unwritable_bytes", report.unwritable_bytes},
                 {"unreadable_bytes", report.unreadable_bytes}};
    const std::string compared = report.compared_bytes == 0 ? "" : format_size(report.compared_bytes) + " compared, ";
    end.summary.push_back(fmt::format("{} restored to {}: {}{} written, {:.1f} s, {}/s", printable(path_), printable(target_.path), compared,
                                      format_size(report.written_bytes), seconds, speed(std::max(report.written_bytes, report.compared_bytes), seconds)));
    if (report.outcome == Outcome::with_bad_sectors) end.status = ExitStatus::bad_sectors;
    if (report.unreadable_bytes != 0)
      end.summary.push_back(fmt::format("{} of the image could not be read; the target has zeros there", format_size(report.unreadable_bytes)));
    tell_hits(choice_.drive, report.unreadable, session_, end);
    if (report.unwritable_bytes != 0)
      end.summary.push_back(fmt::format("{} of the target could not be written", format_size(report.unwritable_bytes)));
    return end;
  }

  std::string path_;
  Session& session_;
  const options::ParsedCommand& command_;
  AreaChoice choice_;
  std::vector<SourceArea> areas_;
  RestoreTarget target_;
  RestorePlan plan_;
  bool created_ = false;
};

}  // namespace

std::optional<std::string> foreign_path(const std::string& file) {
  const Result<ImageName> name = parse_image_name(file);
  if (!name || name->kind != ImageName::Kind::local || !is_foreign(name->path)) return std::nullopt;
  return name->path;
}

Result<Report> restore_foreign(const std::string& path, Session& session) { return ForeignRestore(path, session).run(); }

Result<Report> validate_foreign(const std::string& path, Session& session) {
  const std::shared_ptr<Drive> drive = TRY(open_foreign_drive(path, session));
  JobContext context = session.context();
  const auto started = std::chrono::steady_clock::now();
  const ValidateReport report = TRY(check_drive(*drive, context));
  const double seconds = seconds_since(started);
  Report end;
  std::vector<std::string> texts;
  for (const Damage& damage : report.damage) texts.push_back(damage_text(damage));
  end.facts = {{"image", path}, {"checked_bytes", report.checked_bytes}, {"damage_count", report.damage_count}, {"damage", texts}};
  if (report.sound()) {
    end.summary.push_back(fmt::format("{}: all of it could be read: {} checked, {:.1f} s, {}/s", printable(path), format_size(report.checked_bytes),
                                      seconds, speed(report.checked_bytes, seconds)));
    return end;
  }
  tell_damage(report, session.events());
  end.status = ExitStatus::damaged;
  end.summary.push_back(fmt::format("{} is damaged in {} {}", printable(path), report.damage_count, report.damage_count == 1 ? "place" : "places"));
  return end;
}

}  // namespace tintype::cli
