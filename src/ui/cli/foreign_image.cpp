// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/foreign_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "drive/foreign/foreign.h"
#include "job/copy.h"
#include "job/progress.h"
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

Result<ForeignCheck> check(const std::string& path, Session& session) {
  ProgressMeter meter(session.events(), "validate", 0);
  meter.no_total();
  meter.object(path);
  const auto gently = [&](std::shared_ptr<Drive> file) { return session.tuning().gently(std::move(file)); };
  const auto advance = [&](std::uint64_t bytes) -> Result<void> {
    TRY(session.cancel().check());
    meter.advance(bytes);
    return {};
  };
  const ForeignCheck found = TRY(check_foreign(path, gently, advance));
  meter.finish();
  for (const std::string& text : found.damage) session.events().message({Severity::error, text});
  return found;
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
    if (command_.flag("pre-validate") && !TRY(check(path_, session_)).damage.empty())
      return fail(ErrorCode::corrupt, fmt::format("{} is damaged; nothing was written", printable(path_)),
                  "restore without --pre-validate and with --allow-errors brings back what can still be read");
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
    tell_losses(report, "image", choice_.drive, session_, end);
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
  const auto started = std::chrono::steady_clock::now();
  const ForeignCheck found = TRY(check(path, session));
  const double seconds = seconds_since(started);
  const std::size_t count = found.damage.size();
  Report end;
  end.facts = {{"image", path}, {"checked_bytes", found.checked_bytes}, {"damage_count", std::uint64_t{count}}, {"damage", found.damage}};
  if (count != 0) end.status = ExitStatus::damaged;
  end.summary.push_back(count == 0 ? fmt::format("{} is sound, as far as it has checksums: {} checked, {:.1f} s, {}/s", printable(path),
                                                 format_size(found.checked_bytes), seconds, speed(found.checked_bytes, seconds))
                                   : fmt::format("{} is damaged in {} {}", printable(path), count, count == 1 ? "file" : "files"));
  return end;
}

}  // namespace tintype::cli
