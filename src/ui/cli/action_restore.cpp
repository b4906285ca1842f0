// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "drive/open.h"
#include "image/part_names.h"
#include "job/restore.h"
#include "ui/cli/actions.h"
#include "ui/cli/drive_checks.h"
#include "ui/cli/open_image.h"
#include "ui/cli/restore_target.h"

namespace tintype::cli {
namespace {

// A target that is too small is refused, whatever the planner's word for it.
Result<RestorePlan> make_plan(const Catalog& image, const RestoreTarget& target, const RestoreOptions& options, Random& random) {
  Result<RestorePlan> plan = plan_restore(image, target.info, target.layout, options, target.words, random);
  if (plan || plan.error().code != ErrorCode::no_space) return plan;
  Error error = plan.error();
  error.code = ErrorCode::refused;
  return fail(std::move(error));
}

class RestoreAction {
 public:
  explicit RestoreAction(Session& session) : session_(session), command_(session.command()) {}

  Result<Report> run() {
    image_ = TRY(open_image(*command_.text("file"), session_));
    TRY(require_chain(image_));
    const Catalog& catalog = image_.reader->catalog();
    target_ = TRY(find_target(command_, catalog));
    const RestoreOptions options = TRY(placement_of(command_, catalog, target_));
    plan_ = TRY(make_plan(catalog, target_, options, session_.context().random));
    const TargetUse use = TRY(check_use());
    if (command_.flag("dry-run")) return describe_plan();
    TRY(ask_to_overwrite());
    TRY(session_.cancel().check());
    Result<Report> report = write(use.exclusive);
    if (report || !created_) return report;
    // A file that was made for this restore and is not whole is no use to anybody.
    ::unlink(target_.path.c_str());
    Error error = std::move(report).error();
    if (error.code == ErrorCode::cancelled) error.hint = fmt::format("{} was removed again", printable(target_.path));
    return fail(std::move(error));
  }

 private:
  Result<TargetUse> check_use() const {
    if (target_.is_new) return TargetUse{};
    std::vector<std::string> files;
    for (std::uint32_t part = 0; part < image_.reader->parts().parts(); ++part)
      for (const std::string& name : {part_name(image_.name, part), partial_name(image_.name, part)})
        files.push_back(image_.place->describe(name));
    return check_target(target_.path, plan_, files);
  }

  Report describe_plan() const {
    Report end;
    end.summary.push_back(fmt::format("What would be done with {}:", target_.text));
    if (target_.is_new) end.summary.push_back(fmt::format("  make it, {} bytes, sparse", target_.info.size_bytes));
    for (const std::string& line : plan_.summary) end.summary.push_back("  " + line);
    end.summary.push_back(plan_.lost.empty() ? "Nothing would be destroyed." : "What would be destroyed:");
    for (const std::string& line : plan_.lost) end.summary.push_back("  " + line);
    end.summary.push_back("Nothing was written.");
    end.facts = {{"target", target_.path}, {"plan", plan_.summary}, {"lost", plan_.lost}, {"total_bytes", plan_.total_bytes}};
    return end;
  }

  Result<void> ask_to_overwrite() {
    if (plan_.lost.empty() || command_.flag("overwrite")) return {};
    const Answer answer = session_.events().ask(
        {QuestionKind::yes_no, "overwrite-target", fmt::format("Overwrite {}? This destroys:", target_.text), plan_.lost});
    if (answer == Answer::yes) return {};
    std::string lost = plan_.lost.front();
    if (plan_.lost.size() > 1) lost += fmt::format(" and {} more", plan_.lost.size() - 1);
    return fail(ErrorCode::refused, fmt::format("{} is not overwritten; it holds {}", printable(target_.path), printable(lost)),
                "answer yes, or use --overwrite");
  }

  Result<Report> write(bool exclusive) {
    RestoreRequest request;
    request.image = image_.reader;
    const std::shared_ptr<Drive> target = TRY(open_target(target_, exclusive, session_.tuning().cache()));
    request.target = session_.tuning().gently(target);
    created_ = target_.is_new;
    if (created_) session_.events().info(fmt::format("made {}, {}, sparse", target_.path, format_size(target_.info.size_bytes)));
    request.plan = plan_;
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
    tell_system(*target);
    return result(report, seconds);
  }

  // FEATURES R16: 1 never. All partitions are done at this point, so 0 and 2 come to the same.
  void tell_system(Drive& target) {
    if (command_.number("no-os-notification") == 1 || plan_.write_last.empty()) return;
    const Result<bool> done = reread_table(target);
    if (!done) session_.events().warn(done.error().message());
  }

  Report result(const RestoreReport& report, double seconds) const {
    Report end;
    end.facts = {{"image", image_.path},
                 {"target", target_.path},
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
};

}  // namespace

Result<Report> run_restore_action(Session& session) { return RestoreAction(session).run(); }

}  // namespace tintype::cli
