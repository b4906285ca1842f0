// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "base/text.h"
#include "job/repair.h"
#include "job/validate.h"
#include "ui/cli/actions.h"
#include "ui/cli/open_image.h"
#include "ui/cli/recovery.h"

namespace tintype::cli {
namespace {

Result<bool> passes_validation(const std::string& file, Session& session) {
  Result<OpenedImage> image = open_image(file, session);
  if (!image) return fail(std::move(image).error());
  JobContext context = session.context();
  return TRY(run_validate(image->reader, context)).sound();
}

}  // namespace

Result<Report> run_repair_action(Session& session) {
  const std::string file = *session.command().text("file");
  const ImageFiles files = TRY(find_image_files(file));
  JobContext context = session.context();
  const RepairRequest request{files.place, files.name, [&] { return passes_validation(file, session); }};
  const RepairReport report = TRY(run_repair(request, context));
  for (const LostRange& range : report.found.lost) context.events.info(lost_text(range));
  Report end;
  end.facts = {{"image", files.path},
               {"repaired_files", report.repaired_files},
               {"damaged_blocks", report.found.damaged_blocks},
               {"rebuilt_blocks", report.rebuilt_blocks},
               {"written_bytes", report.rebuilt_bytes},
               {"recovery_file_rebuilt", std::string(report.parity_rebuilt ? "yes" : "no")}};
  if (!report.parity_left.empty()) {
    end.status = ExitStatus::damaged;
    end.summary.push_back(report.parity_left);
    return end;
  }
  end.summary.push_back(report.repaired_files.empty() ? fmt::format("{} and its recovery file are sound: nothing to repair", files.path)
                                                      : fmt::format("{} is repaired: {} blocks were rebuilt; validate checks it again", files.path,
                                                                    report.rebuilt_blocks));
  return end;
}

}  // namespace tintype::cli
