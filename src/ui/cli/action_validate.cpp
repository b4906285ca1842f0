// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "base/text.h"
#include "image/image_drive.h"
#include "job/validate.h"
#include "ui/cli/actions.h"
#include "ui/cli/damage.h"
#include "ui/cli/foreign_image.h"
#include "ui/cli/open_image.h"
#include "ui/cli/recovery.h"

namespace tintype::cli {
namespace {

std::vector<std::string> texts_of(const ValidateReport& report) {
  std::vector<std::string> texts;
  for (const Damage& damage : report.damage) texts.push_back(damage_text(damage));
  return texts;
}

// An image that cannot even be opened: what its recovery file says about it, or the error if there is none.
Result<Report> report_unopened(const ImageFiles& files, const Error& error, JobContext& context) {
  if (!means_lost(error) || (error.os_error != 0 && error.os_error != EIO)) return fail(error);
  const Recovery recovery = TRY(check_recovery(files, true, context));
  if (recovery.found.state == FoundParity::State::none || recovery.found.state == FoundParity::State::of_another_image) return fail(error);
  Report end;
  end.status = ExitStatus::damaged;
  end.facts = {{"image", files.path},
               {"checked_bytes", std::uint64_t{0}},
               {"damage_count", std::uint64_t{1}},
               {"damage", std::vector<std::string>{error.message()}}};
  end.summary.push_back(error.message());
  add_recovery(end, recovery, files, true);
  return end;
}

}  // namespace

Result<Report> run_validate_action(Session& session) {
  const std::string file = *session.command().text("file");
  if (const std::optional<std::string> path = foreign_path(file)) return validate_foreign(*path, session);
  const ImageFiles files = TRY(find_image_files(file));
  JobContext context = session.context();
  const Result<OpenedImage> image = open_image(file, session);
  if (!image) return report_unopened(files, image.error(), context);
  const auto started = std::chrono::steady_clock::now();
  const ValidateReport report = TRY(run_validate(image->reader, context, session.command().flag("multi-pass")));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  Report end;
  end.facts = {{"image", image->path},
               {"checked_bytes", report.checked_bytes},
               {"damage_count", report.damage_count},
               {"damage", texts_of(report)}};
  if (report.sound()) {
    const double speed = static_cast<double>(report.checked_bytes) / std::max(seconds, 0.001);
    end.summary.push_back(fmt::format("{} is sound: {} checked, {:.1f} s, {}/s", image->path, format_size(report.checked_bytes), seconds,
                                      format_size(static_cast<std::uint64_t>(speed))));
  } else {
    tell_damage(report, context.events);
    if (!report.partitions.empty())
      tell_hits(make_image_drive(image->reader, {.read_ahead_threads = 1}), report.partitions, session, end);
    end.status = ExitStatus::damaged;
    end.summary.push_back(fmt::format("{} is damaged in {} {}", image->path, report.damage_count, report.damage_count == 1 ? "place" : "places"));
  }
  add_recovery(end, TRY(check_recovery(files, !report.sound(), context)), files, !report.sound());
  return end;
}

}  // namespace tintype::cli
