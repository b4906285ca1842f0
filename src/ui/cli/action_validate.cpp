// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "job/validate.h"
#include "ui/cli/actions.h"
#include "ui/cli/damage.h"
#include "ui/cli/open_image.h"

namespace tintype::cli {
namespace {

std::vector<std::string> texts_of(const ValidateReport& report) {
  std::vector<std::string> texts;
  for (const Damage& damage : report.damage) texts.push_back(damage_text(damage));
  return texts;
}

}  // namespace

Result<Report> run_validate_action(Session& session) {
  const OpenedImage image = TRY(open_image(*session.command().text("file"), session));
  JobContext context = session.context();
  const auto started = std::chrono::steady_clock::now();
  const ValidateReport report = TRY(run_validate(image.reader, context));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  Report end;
  end.facts = {{"image", image.path},
               {"checked_bytes", report.checked_bytes},
               {"damage_count", report.damage_count},
               {"damage", texts_of(report)}};
  if (report.sound()) {
    const double speed = static_cast<double>(report.checked_bytes) / std::max(seconds, 0.001);
    end.summary.push_back(fmt::format("{} is sound: {} checked, {:.1f} s, {}/s", image.path, format_size(report.checked_bytes), seconds,
                                      format_size(static_cast<std::uint64_t>(speed))));
    return end;
  }
  tell_damage(report, context.events);
  end.status = ExitStatus::damaged;
  end.summary.push_back(fmt::format("{} is damaged in {} {}", image.path, report.damage_count, report.damage_count == 1 ? "place" : "places"));
  return end;
}

}  // namespace tintype::cli
